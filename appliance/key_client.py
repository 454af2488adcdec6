"""The HTTP client for published keys: by the system's authorities, HTTPS_PROXY and NO_PROXY; no private address is called.

Behind an outbound proxy it is the proxy that looks names up, and that says what may be reached.
"""

import ipaddress
from collections.abc import Mapping

import httpx

from touchpoints.destinations.outbound_proxy import proxy_for
from touchpoints.destinations.transport import DestinationTransport
from touchpoints.refused_address import is_refused
from touchpoints.touchpoint import HttpDestination

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; where there is no IPv4, all of it is met under these
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215


def open_key_transport(url: str, environment: Mapping[str, str]) -> httpx.AsyncBaseTransport:
    """A transport with connections of its own; the caller closes it. Raises ValueError for an HTTPS_PROXY that is none."""
    place = HttpDestination(id=0, name="keys", url=url, concurrency=2)
    proxy = proxy_for("", url, environment)
    return DestinationTransport(place, proxy, refuses=None if proxy else is_private)


def is_private(address: str) -> bool:
    """Whether an address is no public one: this machine, its network, or any that is reserved."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    inner = _inner(found) if isinstance(found, ipaddress.IPv6Address) else None
    if found.is_multicast or found in _LOCAL_NAT64 or is_refused(address):
        return True
    return not found.is_global or (inner is not None and not inner.is_global)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that it leads to, where it leads to one."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour

"""Admission: from where, and with which TLS certificate, a touchpoint's senders may come. Asked before anything else is read.

Both are conditions beside the proof, never instead of it.
"""

import hmac
import ipaddress
from functools import lru_cache

from touchpoints.request import Refused, Request
from touchpoints.touchpoint import Touchpoint

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def admit(request: Request, touchpoint: Touchpoint) -> Refused | None:
    """None, or why a request may not come: network_not_allowed, client_certificate_missing, client_certificate_wrong."""
    if touchpoint.networks and not _comes_from(request.remote, touchpoint.networks):
        return Refused(code="network_not_allowed")
    if not touchpoint.client_certificates:
        return None
    if not request.client_certificate:
        return Refused(code="client_certificate_missing")
    shown = fingerprint(request.client_certificate)
    fits = [hmac.compare_digest(shown.encode(), fingerprint(known).encode()) for known in touchpoint.client_certificates]
    return None if any(fits) else Refused(code="client_certificate_wrong")


def _comes_from(remote: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks; what is no address is in none."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    if address.version == 6 and address.ipv4_mapped is not None:
        return any(address.ipv4_mapped in network for network in _networks(networks))
    return any(address in network for network in _networks(networks))


@lru_cache(maxsize=256)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(_unmapped(ipaddress.ip_network(text)) for text in texts)


def _unmapped(network: Network) -> Network:
    """A network of IPv4 addresses written as IPv6 is that network."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ipaddress.IPv4Network((int(mapped or 0), network.prefixlen - 96))
    return network


def fingerprint(text: str) -> str:
    """A SHA-256 fingerprint as it is compared: 64 hexadecimal digits, without the colons that many tools show.

    Case and colons do not count; what isn't a fingerprint comes back as something that equals none.
    """
    return text.replace(":", "").strip().lower()

"""Addresses that Hookport never calls by itself: link-local ones, and where clouds hand out a machine's credentials."""

import ipaddress
from collections.abc import Iterator

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Beside the link-local ones (RFC 3927; RFC 4291 section 2.5.6), where most clouds have theirs.
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            *("100.100.100.200", "fd00:100::100:200"),  # Alibaba
            *("fd00:ec2::254", "fd00:ec2::23"),  # Amazon
            "168.63.129.16",  # Azure: it also hands out the settings of a machine's extensions
            "fd20:ce::254",  # Google
            "fd00:a9fe:a9fe::1",  # Linode
            *("192.0.0.192", "fd00:c1::a9fe:a9fe"),  # Oracle
            "fd00:42::42",  # Scaleway
        ),
    )
)
# Networks whose addresses end in an IPv4 one, which they lead to.
_CARRIERS = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "::/96",  # RFC 4291 section 2.5.5.1; no router takes it, some systems did
            "::ffff:0:0:0/96",  # RFC 2765
            "64:ff9b::/96",  # RFC 6052
            "64:ff9b:1::/48",  # RFC 8215
        ),
    )
)


def is_refused(address: str, allowed: tuple[str, ...] = ()) -> bool:
    """Whether an address, as a name came to it or as it stands in a URL, is one of them and not `allowed` by the destination.

    What is no address is not refused: what it comes to is asked when that is known.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    forms = tuple(_forms(found))
    if any(ipaddress.ip_address(one) in forms for one in allowed):
        return False
    return any(one.is_link_local or one in _METADATA for one in forms)


def _forms(address: _Address) -> Iterator[_Address]:
    """The address, and the IPv4 ones that it leads to."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in carrier for carrier in _CARRIERS):
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield address.teredo[1]

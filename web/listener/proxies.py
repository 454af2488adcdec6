"""The trusted proxies: whose X-Forwarded-For counts, and whose word about a sender's address is taken."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from touchpoints.event import Headers

_LONGEST = 128  # the longest IPv6 address with a zone and a port is shorter


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address as written in X-Forwarded-For (also `1.2.3.4:5678` and `[::1]:5678`); None when it is none."""
    return _address_of(text.strip()) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class TrustedProxies:
    """Addresses and networks; made anew when the configuration changes."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises ValueError for what is neither an address nor a network."""
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(text, strict=False) for text in networks)

    def trusts(self, address: str) -> bool:
        """Whether this address is one of them."""
        return bool(self._networks) and self._within(address_of(address))

    def sender(self, peer: str, headers: Headers) -> str:
        """The peer's address, or, where that is a trusted proxy, the right-most one in X-Forwarded-For that is none."""
        if not self.trusts(peer):
            return peer
        said = b",".join(value for name, value in headers if name == b"x-forwarded-for")
        last = peer
        for entry in reversed(said.decode("latin-1").split(",")):
            address = address_of(entry)
            if address is None:
                return last
            last = str(address)
            if not self._within(address):
                return last
        return last

    def _within(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)

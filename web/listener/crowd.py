"""The crowd: how many connections there may be, in all and from one address."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network

from web.listener.proxies import address_of

MOST = 16_384  # addresses remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """How many connections at once."""

    total: int = 2000
    per_address: int = 256  # an IPv6 /64 counts as one address; trusted proxies are exempt


class Crowd:
    """Counts connections by address."""

    def __init__(self, ceilings: Ceilings, trusted: Callable[[str], bool]) -> None:
        self.ceilings = ceilings
        self._trusted = trusted
        self._counts: Counter[str] = Counter()
        self._waits: dict[str, float] = {}  # whose connections had to give way, until when it waits
        self.total = 0

    @property
    def full(self) -> bool:
        """Whether no more fit in all."""
        return self.total >= self.ceilings.total

    def refuses(self, address: str, now: float) -> bool:
        """Whether an address has as many as it may have, or must wait while no more fit in all."""
        key = key_of(address)
        refused = self._counts[key] >= self.ceilings.per_address or (self.full and self._waits.get(key, now) > now)
        return refused and not self._trusted(address)

    def let_wait(self, key: str, until: float) -> None:
        """Whose connections had to give way finds no place while no more fit: strangers who come again cost least so."""
        self._waits.pop(key, None)
        self._waits[key] = until  # the one told last stands last
        if len(self._waits) > MOST:
            del self._waits[next(iter(self._waits))]

    def enter(self, address: str) -> str | None:
        """Count one more from an address; the token to `leave` with, or None when it has too many."""
        key = key_of(address)
        if self._counts[key] >= self.ceilings.per_address and not self._trusted(address):
            return None
        self._counts[key] += 1
        self.total += 1
        return key

    def leave(self, key: str) -> None:
        """Count one less."""
        self.total -= 1
        self._counts[key] -= 1
        if not self._counts[key]:
            del self._counts[key]


def key_of(address: str) -> str:
    """Whose connection it is: the address, of IPv6 its /64."""
    parsed = address_of(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed) if parsed else address

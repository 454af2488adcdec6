"""When events came to a touchpoint, minute by minute, for weeks: what is usual there can be told from it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from touchpoints.moment import Micros


class Arrivals(Protocol):
    """Minutes in which a verified event came; tests left out."""

    async def add(self, last: Mapping[int, Micros], *, now: Micros) -> None:
        """Note an arrival at each of these touchpoints, and let go of what is too old. Raises StoreUnavailable."""

    async def minutes(self, touchpoint: int) -> Sequence[Micros]:
        """The beginnings of those minutes, in order. Raises StoreUnavailable."""

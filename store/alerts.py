"""What a person was told of, kept over restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from touchpoints.moment import Micros

Key = tuple[str, str, str]  # problem code, touchpoint, destination; empty where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One thing that needs a person, and what was said of it by one channel."""

    code: str
    touchpoint: str = ""
    destination: str = ""
    text: str
    mend: str
    count: int = 1
    since: Micros
    told_at: Micros | None = None  # last; None: not yet
    gone_at: Micros | None = None  # since when it is there no longer
    cleared_at: Micros | None = None  # when the all-clear went
    returns: int = 0  # how often it came back within a day of its all-clear

    @property
    def key(self) -> Key:
        """What it is, whatever its words say just now."""
        return self.code, self.touchpoint, self.destination


class AlertMemory(Protocol):
    """Where it is kept, for each channel."""

    async def recall(self, channel: str) -> Sequence[Standing]:
        """What a channel told. Raises StoreUnavailable."""

    async def keep(self, channel: str, standing: Sequence[Standing]) -> None:
        """Make it hold exactly these. Raises StoreUnavailable."""

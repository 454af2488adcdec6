"""The old path: a way in that a switch of mode gives up stays open until senders have found the new one."""

from dataclasses import dataclass
from typing import Protocol

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPath:
    """A way in: in use, or being closed."""

    path: str  # direct | proxy
    since: Micros = 0  # when it was switched off; 0: it is in use
    used_at: Micros = 0  # when it last brought a verified event, as far as is known

    def ends(self, overlap: Micros) -> Micros:
        """When it has brought nothing verified for so long."""
        return max(self.since, self.used_at) + overlap


class OldPaths(Protocol):
    """Remembers them over restarts. Raises StoreUnavailable."""

    async def load(self) -> tuple[OldPath, ...]:
        """Those in use and those that are being closed."""

    async def save(self, old: OldPath) -> None:
        """Note one, in place of what was noted of it before."""

    async def forget(self, path: str) -> None:
        """It is closed."""

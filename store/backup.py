"""Backups: what one holds, and what is done with the two files. One is made from a living agent and tried before it counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a copy of the events holds."""

    events: int = 0
    waiting: int = 0  # events not planned yet, and deliveries that are pending or held
    claims: int = 0  # dedup keys
    bodies: int = 0  # events with their body


class BackupFiles(Protocol):
    """Copies of a data folder's files, taken while others write to them. Everything here may take minutes: call it in a thread.

    Raises ProblemError: store_corrupt, disk_full, store_unopenable, store_newer.
    """

    def copy_configuration(self, source: Path, target: Path) -> None:
        """A whole copy of configuration.db at one moment."""

    def copy_events(self, source: Path, target: Path, *, bodies: bool) -> Counted:
        """A copy of events.db at one moment: all that is unsettled, and the dedup memory with its events' rows.

        With `bodies` every event whose body is still kept as well. The copy has the form of its source, also an older one.
        """

    def try_restore(self, configuration: Path, events: Path, *, now: Micros) -> Counted:
        """Open both copies as a start would, but for bringing older ones up to date, and read them from end to end."""

    def waits_until(self, events: Path) -> None:
        """In a restored file: nothing that was planned goes out by itself any more: what was pending is held."""

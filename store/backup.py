"""Backups: what one holds, and what is done with its two files. One is made of a living process, and tried before it counts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from store.vault import Vault
from touchpoints.moment import Micros

CONFIGURATION = "configuration.db"
# The file of events, by the role whose backup it is. In a backup it is called as in the data folder.
EVENTS_OF = {"agent": "events.db", "proxy": "queue.db"}


def never() -> bool:
    """What is not halted."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a backup holds."""

    events: int = 0
    waiting: int = 0  # an agent's: not planned yet, and deliveries pending or held; a proxy's: not acknowledged by any agent
    claims: int = 0  # dedup keys; a proxy has none
    bodies: int = 0  # events with their body
    organisations: int = 0  # of a proxy, as its agents
    agents: int = 0  # that were not revoked


class BackupFiles(Protocol):
    """Copies of a data folder's files, taken while others write to them. Everything here may take minutes: call it in a thread.

    `halted` is asked now and then, from that thread: once it says so, what has begun is broken off.

    Raises ProblemError: store_corrupt, disk_full, store_unopenable, store_newer, store_foreign; where it was halted, any.
    """

    role: str  # agent | proxy

    def copy(
        self,
        folder: Path,
        target: Path,
        *,
        settled: bool,
        room: Callable[[int], None],
        configuration: Path | None = None,
        halted: Callable[[], bool] = never,
    ) -> Counted:
        """Copy both files of a data folder into another folder: each of one moment, the events first, so that the
        configuration knows whatever they speak of.

        A copy has the form of its source, also an older one; `configuration` is what is copied instead of the folder's own.
        All that is unsettled goes along, with `settled` also what is kept of the rest. `room` is told how many bytes that
        takes, about, before anything is written; what it raises goes through.
        """

    def try_restore(self, folder: Path, *, now: Micros, halted: Callable[[], bool] = never) -> Counted:
        """Open both copies as a start would, but for bringing older ones up to date, and read them from end to end."""

    def check_key(self, folder: Path, vault: Vault) -> None:
        """Raise ProblemError(key_wrong) where the copy of the configuration was begun with another key than the vault's."""

"""The floor: the free space below which Hookport takes in nothing, so that what it has can still be worked off."""

import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from touchpoints.problem import Problem, problem
from touchpoints.size import format_size, rough_size

log = structlog.get_logger()

Stored = tuple[int, int]  # bytes in all, and those of them in the log


class Floor:
    """Watches the disk of the data folder and the size of the events file. `trouble` is None while there is room."""

    def __init__(
        self, folder: Path, *, free_disk: Callable[[], int], limit: Callable[[], int], stored: Callable[[], Stored]
    ) -> None:
        """`free_disk` is the floor, `limit` the most that may be stored (0: no limit), `stored` what is; all in bytes."""
        self.trouble: Problem | None = None
        self.stored_bytes = 0  # as of the last look
        self.log_bytes = 0  # of these: what stands in the file's log
        self._folder = folder
        self._free_disk = free_disk
        self._limit = limit
        self._stored = stored

    def look(self) -> None:
        """Look again; costs a few system calls."""
        self.stored_bytes, self.log_bytes = self._stored()
        before, self.trouble = self.trouble, self._trouble()
        if self.trouble is not None and before is None:
            log.warning(self.trouble.code, problem=str(self.trouble))
        if self.trouble is None and before is not None:
            log.info("room_again", after=before.code)

    @property
    def nearly_full(self) -> bool:
        """Whether what was stored at the last look came near its limit, so that the oldest settled should make room."""
        limit = self._limit()
        return bool(limit) and self.stored_bytes >= limit - limit // 20

    def _trouble(self) -> Problem | None:
        free, floor = shutil.disk_usage(self._folder).free, self._free_disk()
        if free < floor:
            return problem("disk_low", free=rough_size(free), floor=format_size(floor))
        limit = self._limit()
        if limit and self.stored_bytes >= limit:
            return problem("store_full", limit=format_size(limit))
        return None


def stored_size(events: Path) -> Stored:
    """What the events file holds with its log."""
    file, log_file = (_size(one) for one in (events, events.with_name(f"{events.name}-wal")))
    return file + log_file, log_file


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0

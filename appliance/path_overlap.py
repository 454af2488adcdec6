"""The overlap of a switch: how long a way in stays open after the mode changed, also over restarts."""

from collections.abc import Callable
from dataclasses import replace

from store.old_path import OldPath, OldPaths
from touchpoints.moment import MINUTE, Micros


class PathOverlap:
    """One way in. It counts as being closed from when it is no longer wanted until `close`."""

    def __init__(self, path: str, store: OldPaths, *, now: Callable[[], Micros]) -> None:
        """`path` is direct or proxy."""
        self._path = path
        self._store = store
        self._now = now
        self._known: OldPath | None = None
        self._recalled = False
        self._used_at: Micros = 0

    @property
    def closing(self) -> OldPath | None:
        """Since when it is being closed and when it was last used; None: it is wanted, or closed."""
        known = self._known
        if known is None or not known.since:
            return None
        return replace(known, used_at=max(known.used_at, self._used_at))

    def used(self) -> None:
        """It brought a verified event. Cheap: written down by `write_down`."""
        self._used_at = self._now()

    def over(self, overlap: Micros) -> bool:
        """Whether it is being closed, and has brought nothing verified for so long."""
        known = self.closing
        if known is None:
            return False
        return self._now() >= max(known.since, known.used_at, self._used_at) + overlap

    async def follow(self, *, wanted: bool) -> None:
        """Take up whether the mode wants it. What was in use, even before a restart, begins to be closed when it does not."""
        if not self._recalled:
            self._known = {old.path: old for old in await self._store.load()}.get(self._path)
            self._recalled = True
        if wanted and (self._known is None or self._known.since):
            await self._save(OldPath(path=self._path, used_at=self._known.used_at if self._known else 0))
        elif not wanted and self._known is not None and not self._known.since:
            await self._save(OldPath(path=self._path, since=self._now(), used_at=max(self._known.used_at, self._used_at)))

    async def write_down(self) -> None:
        """Write down when it was last used, at most once a minute."""
        known = self._known
        if known is not None and self._used_at - known.used_at >= MINUTE:
            await self._save(OldPath(path=self._path, since=known.since, used_at=self._used_at))

    async def close(self) -> None:
        """It is closed: by a person, or because its time is over."""
        self._known = None
        await self._store.forget(self._path)

    async def _save(self, old: OldPath) -> None:
        self._known = old
        await self._store.save(old)

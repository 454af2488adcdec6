"""Backups that are kept: made when they are due, tried before they count, and no more of them than the configuration lets."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from appliance import VERSION
from appliance.backup.archive import FILES, Manifest, read_manifest, unpack, write_archive
from appliance.backup.sealed_key import seal_key
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from store.backup import BackupFiles
from store.settings import BackupSettings
from store.vault import read_key_file
from touchpoints.moment import HOUR, Micros, rfc3339
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.size import format_size

log = structlog.get_logger()

_PREFIX, _SUFFIX, _STAMP = "hookport-", ".backup", "%Y%m%dT%H%M%SZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGAIN = HOUR  # after a failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A backup on the disk."""

    path: Path
    made_at: Micros
    size: int  # bytes

    def as_json(self) -> dict[str, Any]:
        """One of `backup --list --json`."""
        return {"file": str(self.path), "made_at": rfc3339(self.made_at), "bytes": self.size}


class Backups:
    """All backups of one data folder."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        files: BackupFiles,
        settings: Callable[[], BackupSettings],
        instance: Callable[[], str],
        chance: Callable[[int], bytes],
        clock: Clock,
    ) -> None:
        self.trouble: Problem | None = None  # why the last try made none
        self._folder = folder
        self._files = files
        self._settings = settings
        self._instance = instance
        self._chance = chance
        self._clock = clock
        self._making = asyncio.Lock()
        self._tried_at: Micros | None = None

    @property
    def place(self) -> Path:
        """The folder they are kept in."""
        return Path(self._settings().folder) if self._settings().folder else self._folder.backups

    def kept(self) -> Sequence[Kept]:
        """Those on the disk, newest first."""
        try:
            dated = [(path, made_at) for path in self.place.iterdir() if (made_at := _made_at(path.name)) is not None]
            found = [Kept(path=path, made_at=made_at, size=path.stat().st_size) for path, made_at in dated]
        except OSError:
            return []
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    async def when_due(self) -> None:
        """Make one if its time has passed since the last; a failure waits an hour for the next try."""
        now = self._clock.now()
        due = self._last_due(now)
        if due is None or (self._tried_at is not None and self._tried_at >= due and now - self._tried_at < _AGAIN):
            return
        newest = next(iter(await asyncio.to_thread(self.kept)), None)
        if newest is None or newest.made_at < due:
            try:
                await self.make()
            except ProblemError as error:
                log.warning("backup_not_made", problem=str(error.problems[0]))

    async def make(self, configuration: Path | None = None) -> tuple[Kept, Manifest]:
        """Make one now, try it, and let the oldest go; `configuration` is what is packed instead of the one that stands there.

        Raises ProblemError; the older ones are all still there then.
        """
        async with self._making:
            now = self._tried_at = self._clock.now()
            try:
                made = await asyncio.to_thread(self._make, now, configuration or self._folder.configuration)
            except ProblemError as error:
                self.trouble = _told(error.problems[0], now)
                raise
            except OSError as error:
                self.trouble = problem("backup_failed", moment=rfc3339(now), why=error.strerror or type(error).__name__)
                raise ProblemError(self.trouble) from error
            self.trouble = None
            log.info("backup_made", bytes=made[0].size, events=made[1].counted.events, bodies=made[1].counted.bodies)
            return made

    def _last_due(self, now: Micros) -> Micros | None:
        """The last moment at which one was due; None: none is made by itself."""
        at = self._settings().at
        if not at:
            return None
        local = self._clock.local(now)
        due = local.replace(hour=int(at[:2]), minute=int(at[3:]), second=0, microsecond=0)
        if due > local:
            due -= timedelta(days=1)
        return now - int((local - due) / timedelta(microseconds=1))

    def _make(self, now: Micros, configuration: Path) -> tuple[Kept, Manifest]:
        settings = self._settings()
        self._must_have_room(settings, now)
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ProblemError(problem("backup_folder_unusable", folder=self.place, why=error.strerror)) from error
        for half in self.place.glob(f".{_PREFIX}*"):  # of a process that was killed
            half.unlink(missing_ok=True)
        work = self._folder.spool / "backup"
        shutil.rmtree(work, ignore_errors=True)
        (work / "tried").mkdir(parents=True)
        try:
            return self._pack(settings, work, now, configuration)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _pack(self, settings: BackupSettings, work: Path, now: Micros, configuration: Path) -> tuple[Kept, Manifest]:
        self._files.copy_configuration(configuration, work / FILES[0])
        counted = self._files.copy_events(self._folder.events, work / FILES[1], bodies=settings.bodies)
        key = None
        if settings.passphrase:
            key = seal_key(read_key_file(self._folder.key), settings.passphrase, self._chance)
        target = self.place / f"{_PREFIX}{_EPOCH + timedelta(microseconds=now):{_STAMP}}{_SUFFIX}"
        aside = target.with_name(f".{target.name}.new")
        try:
            manifest = write_archive(
                aside, work, made_at=now, version=VERSION, instance=self._instance(), counted=counted, key=key
            )
            self._try(aside, work / "tried", manifest, now)
            size = aside.stat().st_size
            if size > settings.size:
                raise ProblemError(problem("backup_too_large", size=format_size(size), limit=format_size(settings.size)))
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        self._let_go(settings)
        return Kept(path=target, made_at=now, size=size), manifest

    def _try(self, archive: Path, folder: Path, manifest: Manifest, now: Micros) -> None:
        """Put it back, beside: what cannot be put back is no backup."""
        unpack(archive, folder)
        found = self._files.try_restore(folder / FILES[0], folder / FILES[1], now=now)
        if found != manifest.counted:
            raise ProblemError(problem("backup_unreadable", file=archive.name, why="it holds not what was put in"))

    def _must_have_room(self, settings: BackupSettings, now: Micros) -> None:
        """Free disk for twice what it takes: the copies, and the archive made of them."""
        sizes = [path.stat().st_size for path in (self._folder.configuration, self._folder.events) if path.exists()]
        needed = 2 * sum(sizes)
        if not settings.bodies and (newest := next(iter(self.kept()), None)) is not None:
            needed = min(needed, 2 * _unpacked(newest.path) or needed)
        places = {self._folder.path, self.place if self.place.exists() else self._folder.path}
        free = min(shutil.disk_usage(place).free for place in places)
        if free < needed:
            told = {"needed": format_size(needed), "free": format_size(free)}
            raise ProblemError(problem("backup_no_room", moment=rfc3339(now), **told))

    def _let_go(self, settings: BackupSettings) -> None:
        total = 0
        for number, one in enumerate(self.kept()):
            total += one.size
            if number and (number >= settings.keep or total > settings.size):
                one.path.unlink(missing_ok=True)


def _told(found: Problem, now: Micros) -> Problem:
    if found.code in {"backup_no_room", "backup_too_large"}:
        return replace(found, path="")
    return problem("backup_failed", moment=rfc3339(now), why=f"{found.text} {found.mend}".strip())


def _unpacked(path: Path) -> int:
    """What a backup takes when it is put back, in bytes; 0 when it cannot be read."""
    import zipfile

    try:
        read_manifest(path)
        with zipfile.ZipFile(path) as archive:
            return sum(one.file_size for one in archive.infolist())
    except (ProblemError, OSError, zipfile.BadZipFile):
        return 0


def _made_at(name: str) -> Micros | None:
    if not (name.startswith(_PREFIX) and name.endswith(_SUFFIX)):
        return None
    try:
        made = datetime.strptime(name[len(_PREFIX) : -len(_SUFFIX)], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (made - _EPOCH) // timedelta(microseconds=1)

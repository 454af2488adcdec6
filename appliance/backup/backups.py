"""Backups that are kept: made when they are due, tried before they count, and no more of them than the configuration lets."""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import structlog

from appliance import VERSION
from appliance.backup.archive import Manifest, read_key, unpack, write_archive
from appliance.backup.sealed_key import seal_key
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from store.backup import BackupFiles
from store.settings import BackupSettings
from store.vault import Vault, read_key_file
from touchpoints.destinations.in_place import put_in_place
from touchpoints.moment import HOUR, SECOND, Micros, rfc3339, told_moment
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.size import format_size, rough_size

log = structlog.get_logger()

# Two roles may keep theirs in one folder; neither takes a file of the other for its own.
_PREFIX = {"agent": "hookport-", "proxy": "hookport-proxy-"}
_SUFFIX, _STAMP = ".backup", "%Y%m%dT%H%M%SZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGAIN = HOUR  # after a failure
HALTED = "backup_halted"


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
        floor: Callable[[], int],
        instance: Callable[[], str],
        chance: Callable[[int], bytes],
        clock: Clock,
    ) -> None:
        """`floor` is how many bytes of the data folder's disk are left free at least; see appliance.floor."""
        self.trouble: Problem | None = None  # why the last try made none
        self._folder = folder
        self._files = files
        self._settings = settings
        self._floor = floor
        self._instance = instance
        self._chance = chance
        self._clock = clock
        self._making = asyncio.Lock()
        self._halt = Event()
        self._under_way: set[asyncio.Task[tuple[Kept, Manifest]]] = set()
        self._tried_at: Micros | None = None
        self._too_large_for: BackupSettings | None = None  # the last one that was tried

    @property
    def place(self) -> Path:
        """The folder they are kept in."""
        return Path(self._settings().folder) if self._settings().folder else self._folder.backups

    def kept(self) -> Sequence[Kept]:
        """Those on the disk, newest first."""
        prefix = _PREFIX[self._files.role]
        try:
            dated = [(path, at) for path in self.place.iterdir() if (at := _made_at(path.name, prefix)) is not None]
            found = [Kept(path=path, made_at=made_at, size=path.stat().st_size) for path, made_at in dated]
        except OSError:
            return []
        return sorted(found, key=lambda one: one.made_at, reverse=True)

    async def when_due(self) -> None:
        """Make one if its time has passed since the last; a failure waits an hour for the next try.

        One that is too large waits for its next time, or for other settings: it would be made whole each hour, for nothing.
        """
        now = self._clock.now()
        due = self._last_due(now)
        if due is None or self._rests(due, now):
            return
        made = [one.made_at for one in await asyncio.to_thread(self.kept)]
        if not any(due <= moment <= now for moment in made):  # one of a day to come was made while the clock was wrong
            try:
                await self.make()
            except ProblemError as error:
                log.warning("backup_not_made", problem=str(error.problems[0]))

    def _rests(self, due: Micros, now: Micros) -> bool:
        """Whether one that is due was tried so short a time ago, and failed, that it is not tried again yet."""
        if self._tried_at is None or not due <= self._tried_at <= now:
            return False
        return now < self._tried_at + _AGAIN or self._too_large_for == self._settings()

    async def make(self, configuration: Path | None = None) -> tuple[Kept, Manifest]:
        """Make one now, try it, and let the oldest go; `configuration` is what is packed instead of the one that stands there.

        Raises ProblemError; the older ones are all still there then. Who is cancelled does not end what is being made.
        """
        task = asyncio.get_running_loop().create_task(self._made(configuration), name="backup")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Break off what is being made, and wait until nothing of it is left; none is made from now on."""
        self._halt.set()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _made(self, configuration: Path | None) -> tuple[Kept, Manifest]:
        async with self._making:
            now = self._tried_at = self._clock.now()
            self._too_large_for = None
            try:
                made = await asyncio.to_thread(self._make, now, configuration)
            except (ProblemError, OSError) as error:
                if self._halt.is_set():  # whatever it then says of a file: it was cut off in the middle of it
                    raise ProblemError(problem(HALTED)) from None
                if isinstance(error, ProblemError):
                    self.trouble = _told(error.problems[0], now)
                    raise
                self.trouble = problem("backup_failed", moment=told_moment(now), why=error.strerror or type(error).__name__)
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

    def _make(self, now: Micros, configuration: Path | None) -> tuple[Kept, Manifest]:
        settings = self._settings()
        self._go_on()
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ProblemError(problem("backup_folder_unusable", folder=self.place, why=error.strerror)) from error
        for half in self._halves():
            half.unlink(missing_ok=True)
        while self._target(now).exists():  # one of the same second, as that before an upgrade, must not be written over
            now += SECOND
        work = self._folder.spool / "backup"
        shutil.rmtree(work, ignore_errors=True)
        (work / "tried").mkdir(parents=True)
        try:
            return self._pack(settings, work, now, configuration)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _pack(self, settings: BackupSettings, work: Path, now: Micros, configuration: Path | None) -> tuple[Kept, Manifest]:
        role = self._files.role
        counted = self._files.copy(
            self._folder.path,
            work,
            settled=settings.settled,
            room=partial(self._must_have_room, now=now),
            configuration=configuration,
            halted=self._halt.is_set,
        )
        key = None
        if settings.passphrase:
            key = seal_key(read_key_file(self._folder.key), settings.passphrase, self._chance)
        target = self._target(now)
        aside = target.with_name(f".{target.name}.new")
        try:
            manifest = write_archive(
                aside,
                work,
                role=role,
                made_at=now,
                version=VERSION,
                instance=self._instance(),
                counted=counted,
                key=key,
                told=self._go_on,
            )
            for name in manifest.files:  # so that copies, archive and what it unpacks to never take the disk all at once
                (work / name).unlink()
            self._try(aside, work / "tried", manifest, now, passphrase=settings.passphrase)
            size = aside.stat().st_size
            if size > settings.size:
                self._too_large_for = settings
                raise ProblemError(
                    problem("backup_too_large", size=rough_size(size, up=True), limit=format_size(settings.size))
                )
            put_in_place(aside, target)
        finally:
            aside.unlink(missing_ok=True)
        self._let_go(settings, now)
        return Kept(path=target, made_at=now, size=size), manifest

    def _target(self, now: Micros) -> Path:
        return self.place / f"{_PREFIX[self._files.role]}{_EPOCH + timedelta(microseconds=now):{_STAMP}}{_SUFFIX}"

    def _try(self, archive: Path, folder: Path, manifest: Manifest, now: Micros, *, passphrase: str) -> None:
        """Put it back, beside: what cannot be put back is no backup. Nor is one whose key does not open what is in it."""
        unpack(archive, folder, told=self._go_on)
        if self._files.try_restore(folder, now=now, halted=self._halt.is_set) != manifest.counted:
            raise ProblemError(problem("backup_unreadable", file=archive.name, why="it holds not what was put in"))
        if manifest.with_key:
            try:
                self._files.check_key(folder, Vault(read_key(archive, passphrase)))
            except ProblemError as error:
                if error.problems[0].code != "key_wrong":
                    raise
                raise ProblemError(problem("backup_own_key_wrong", file=self._folder.key)) from None

    def _go_on(self, _bytes: int = 0) -> None:
        if self._halt.is_set():
            raise ProblemError(problem(HALTED))

    def _must_have_room(self, size: int, *, now: Micros) -> None:
        """Free disk for twice what a backup takes: the copies, and the archive made of them; then that, and what it holds.

        In the data folder beyond the floor, below which senders would be turned away because of it.
        """
        for place, needed in ((self._folder.path, 2 * size + self._floor()), (self.place, 2 * size)):
            free = shutil.disk_usage(place).free
            if free < needed:
                told = {"needed": rough_size(needed, up=True), "free": rough_size(free)}
                raise ProblemError(problem("backup_no_room", moment=told_moment(now), **told))

    def _halves(self) -> Iterator[Path]:
        """What a process that was killed left."""
        prefix = _PREFIX[self._files.role]
        for path in self.place.glob(f".*{prefix}*"):
            if _made_at(path.name.lstrip(".").partition(_SUFFIX)[0] + _SUFFIX, prefix) is not None:
                yield path

    def _let_go(self, settings: BackupSettings, now: Micros) -> None:
        """The oldest go first, and before them what was made while the clock was wrong, and is of a day to come."""
        total = 0
        for number, one in enumerate(sorted(self.kept(), key=lambda one: one.made_at > now)):
            total += one.size
            if number and (number >= settings.keep or total > settings.size):
                try:
                    one.path.unlink(missing_ok=True)
                except OSError as error:  # Windows, while it is read: the new one is there all the same
                    log.warning("backup_stays", file=one.path.name, why=error.strerror)


def _told(found: Problem, now: Micros) -> Problem:
    if found.code in {"backup_no_room", "backup_too_large"}:
        return replace(found, path="")
    return problem("backup_failed", moment=told_moment(now), why=f"{found.text} {found.mend}".strip())


def _made_at(name: str, prefix: str) -> Micros | None:
    if not (name.startswith(prefix) and name.endswith(_SUFFIX)):
        return None
    try:
        made = datetime.strptime(name[len(prefix) : -len(_SUFFIX)], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (made - _EPOCH) // timedelta(microseconds=1)

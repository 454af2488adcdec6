"""A database file of events: opened, watched, moved aside when it is damaged, and never deleted."""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

from store.inbox import StoreUnavailable
from store.sqlite.connections import Readers
from store.sqlite.database import CORRUPT, MIB, Database, Open, Opener, explained, primary_code, reads_whole
from store.sqlite.log_tail import has_lost_commits
from store.sqlite.look_through import GivenUpError, is_sound_table, tables
from store.sqlite.migrate import migrate, outdated
from store.sqlite.writer import Writer
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem

_STATES = {"": "ready", "store_corrupt": "corrupt", "disk_full": "full", "store_read_only": "read_only"}
# While a table is looked at nothing that is written meanwhile leaves the write-ahead log: by so much that may grow, well below
# the disk that is kept free.
_GROWTH = 64 * MIB


class GuardedFile(ABC):
    """One file with its writer and its readers; the places in it stay the same objects over `start_empty`.

    `state`: ready, corrupt, full (recovers by itself), read_only, or failed (an I/O error; recovers by itself).
    While corrupt, every place raises StoreUnavailable("store_corrupt"), also after a restart, until `start_empty`
    or until a file stands there again.
    """

    kind: str  # of its migrations
    application_id: int

    def __init__(self, path: Path, open_database: Open, *, readers: int) -> None:
        self.path = path
        self._open_database = open_database
        self._reader_count = readers
        self._readers = Readers()
        self._writer = Writer(partial(open_database, self._opener(writer=True)))
        self.stopped_uncleanly = False  # and not looked through since
        self.times_sound = 0  # how often it was looked through and found sound
        self._looking = asyncio.Lock()
        self._halt = Event()  # whoever looks is to stop

    async def _open(self, now: Micros, *, upgrade: bool) -> None:
        """Open the file, or make it where there is none; check it after an unclean stop. Damaged, it is moved aside.

        One that an older program made is brought up to date, however long that takes; without `upgrade` it is left alone.

        Raises ProblemError: store_unopenable, store_read_only, store_foreign, store_not_wal, store_newer, store_in_the_way,
        store_not_migrated, disk_full; without `upgrade`, store_migrating.
        """
        if not self.path.exists() and self.moved_aside():
            self._mark_corrupt()
            return
        try:
            await self._start(now, upgrade=upgrade)
        except ProblemError as error:
            await self.close()
            if error.problems[0].code != "store_corrupt":
                raise
            self._move_aside(now)
            self._mark_corrupt()

    @property
    def state(self) -> str:
        """What the file is good for now; see the class."""
        return "corrupt" if self._readers.corrupt else _STATES.get(self._writer.trouble, "failed")

    @property
    def problem(self) -> Problem | None:
        """What is wrong, for a person; None when ready."""
        code = "store_corrupt" if self._readers.corrupt else self._writer.trouble
        return problem(code, path=str(self.path), error="") if code else None

    async def check(self) -> bool:
        """As `look_through`, however much is written meanwhile. Raises StoreUnavailable."""
        if (sound := await self.look_through(growth=None)) is None:
            raise StoreUnavailable("closing")
        return sound

    async def look_through(self, *, growth: int | None = _GROWTH) -> bool | None:
        """Whether each table reads from end to end, and its indexes agree with it; damage makes the file corrupt.

        It takes as long as that takes, on a connection of its own, while everything else goes on. None: it was given up, since
        the write-ahead log grew by `growth` bytes meanwhile, or the file is being closed. Raises StoreUnavailable.
        """
        async with self._looking:
            if self.state == "corrupt":
                return False
            if self._halt.is_set():
                return None
            try:
                sound = await self._looked_through(growth)
            except GivenUpError:
                return None
            if sound:
                self.stopped_uncleanly = False
                self.times_sound += 1
            else:
                self._mark_corrupt()
                self._remember_damage()
            return sound

    def moved_aside(self) -> list[Path]:
        """Damaged files moved aside, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.corrupt-*{self.path.suffix}"))

    async def start_empty(self, *, now: Micros) -> None:
        """Move a damaged file aside, where it still stands, and begin with an empty one. Raises ProblemError."""
        await self.close()
        self._move_aside(now)
        await self._start(now)

    async def close(self) -> None:
        """Commit what is queued and close every connection, the writer last: the last one to close empties the WAL."""
        self._halt.set()
        async with self._looking:
            pass
        if self.state == "corrupt":
            self._remember_damage()
        await self._readers.close()
        await self._writer.close()
        self._forget()

    @abstractmethod
    def _learn(self, db: sqlite3.Connection, now: Micros) -> None:
        """Learn what the places keep in memory, such as the highest numbers, from a file just opened."""

    @abstractmethod
    def _forget(self) -> None:
        """Forget what is known of the file from memory."""

    async def _start(self, now: Micros, *, upgrade: bool = True) -> None:
        unclean, damaged, halt = self._beside("-wal").exists(), self._damage_mark.exists(), Event()
        database = await self._open_database(self._opener(writer=True))
        readers: list[Database] = []
        try:
            prepare = partial(_prepare, kind=self.kind, path=self.path, now=now, check=unclean or damaged, indexes=damaged)
            await database.run(partial(prepare, upgrade=upgrade, halted=halt.is_set))
            await database.run(partial(self._learn, now=now))
            while len(readers) < self._reader_count:  # one by one: where the next fails, those before it are closed
                readers.append(await self._open_database(self._opener(writer=False)))
        except BaseException as error:
            halt.set()  # who is cancelled need not wait for a migration's end: it begins again another time
            for opened in (*readers, database):
                await opened.close()
            if isinstance(error, sqlite3.Error):
                raise explained(error, self.path) from error
            raise
        self._writer.start(database)
        self._readers.open(readers)
        self.stopped_uncleanly = unclean
        self._halt.clear()
        with suppress(OSError):
            self._damage_mark.unlink(missing_ok=True)

    async def _looked_through(self, growth: int | None) -> bool:
        """Raises GivenUpError and StoreUnavailable."""
        halt, log = Event(), self._beside("-wal")
        try:
            database = await self._open_database(self._opener(writer=False))
        except ProblemError as error:
            if error.problems[0].code == "store_corrupt":
                return False
            raise StoreUnavailable(error.problems[0].code) from error
        try:
            for table in await database.run(tables):
                limit = None if growth is None else _size(log) + growth

                def halted(limit: int | None = limit) -> bool:
                    return halt.is_set() or self._halt.is_set() or (limit is not None and _size(log) > limit)

                if not await database.run(partial(is_sound_table, table=table, halted=halted)):
                    return False
            return True
        except sqlite3.Error as error:
            if primary_code(error) in CORRUPT:
                return False
            raise StoreUnavailable("store_failed") from error
        finally:
            halt.set()  # who is cancelled waits for no table's end
            await database.close()

    @property
    def _damage_mark(self) -> Path:
        """Stands beside a file that was found damaged, so that the next start looks for what it does not look for as a rule."""
        return self._beside("-damaged")

    def _remember_damage(self) -> None:
        if self.path.exists():
            with suppress(OSError):  # a disk that takes nothing has other needs
                self._damage_mark.touch()

    def _opener(self, *, writer: bool) -> Opener:
        cache = 32 * MIB if writer else 8 * MIB
        return Opener(path=self.path, application_id=self.application_id, writer=writer, cache_bytes=cache)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _mark_corrupt(self) -> None:
        self._writer.trouble = "store_corrupt"
        self._readers.corrupt = True

    def _move_aside(self, now: Micros) -> None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
        aside = self.path.with_name(f"{self.path.stem}.corrupt-{moment:%Y%m%dT%H%M%S%fZ}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):  # the file first: where that fails, all of it is left together
            source = self._beside(suffix)
            try:
                if source.exists():
                    source.rename(aside.with_name(aside.name + suffix))
            except OSError as error:
                raise ProblemError(problem("store_in_the_way", path=str(source), error=error.strerror)) from error
        with suppress(OSError):
            self._damage_mark.unlink(missing_ok=True)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _prepare(
    db: sqlite3.Connection,
    *,
    kind: str,
    path: Path,
    now: Micros,
    check: bool,
    indexes: bool,
    upgrade: bool,
    halted: Callable[[], bool],
) -> None:
    if not upgrade and (forms := outdated(db, kind)):
        raise ProblemError(problem("store_migrating", found=forms[0], known=forms[1]))
    if check and (_is_cut(db, path.with_name(f"{path.name}-wal")) or not reads_whole(db, indexes=indexes)):
        raise ProblemError(problem("store_corrupt", path=str(path)))
    migrate(db, kind, path=path, now=now, halted=halted)


def _is_cut(db: sqlite3.Connection, log: Path) -> bool:
    """Whether SQLite makes do with less of a write-ahead log than was committed to it."""
    (_, readable, _) = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()  # which goes no further than that
    return log.exists() and has_lost_commits(log, readable=max(0, readable))

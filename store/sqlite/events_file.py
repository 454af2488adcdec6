"""The events file: opened, watched, moved aside when it is damaged, and never deleted."""

import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from store.sqlite.actions import SqliteActions, accept_refused
from store.sqlite.arrivals import SqliteArrivals
from store.sqlite.connections import Readers
from store.sqlite.database import EVENTS_APPLICATION, MIB, Database, Open, Opener, explained, reads_whole
from store.sqlite.inbox import SqliteInbox
from store.sqlite.log import SqliteLog
from store.sqlite.migrate import migrate
from store.sqlite.outbox import SqliteOutbox
from store.sqlite.recent import Recent
from store.sqlite.retention import Retention
from store.sqlite.sequence import Sequence, last_numbers
from store.sqlite.statistics import SqliteStatistics
from store.sqlite.writer import Writer
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem

_STATES = {"": "ready", "store_corrupt": "corrupt", "disk_full": "full", "store_read_only": "read_only"}


class EventsFile:
    """One events file with its writer, its readers and the places in it, which stay the same objects over `start_empty`.

    `state`: ready, corrupt, full (recovers by itself), read_only, or failed (an I/O error; recovers by itself).
    While corrupt, every place raises StoreUnavailable("store_corrupt"), also after a restart, until `start_empty`
    or until a file stands there again.
    """

    def __init__(self, path: Path, open_database: Open, *, readers: int) -> None:
        self.path = path
        self._open_database = open_database
        self._reader_count = readers
        self._events, self._deliveries = Sequence(), Sequence()
        self._readers = Readers()
        self._writer = Writer(partial(open_database, self._opener(writer=True)))
        self._recent = Recent()
        self.inbox = SqliteInbox(self._writer, self._readers, self._events, self._recent)
        self.outbox = SqliteOutbox(self._writer, self._readers, self._deliveries, self._recent)
        self.log = SqliteLog(self._readers)
        self.actions = SqliteActions(self._writer, self._readers, self._deliveries)
        self._writer.watch(accept_refused, lambda _items, _results: self._recent.forget())
        self.retention = Retention(self._writer, self._readers)
        self.statistics = SqliteStatistics(self._writer, self._readers)
        self.arrivals = SqliteArrivals(self._writer, self._readers)

    @classmethod
    async def open(cls, path: Path, open_database: Open, *, now: Micros, readers: int = 3) -> "EventsFile":
        """Open the file, or make it where there is none; check it after an unclean stop. Damaged, it is moved aside.

        Raises ProblemError: store_unopenable, store_read_only, store_foreign, store_not_wal, store_newer, store_in_the_way.
        """
        file = cls(path, open_database, readers=readers)
        if not path.exists() and file.moved_aside():  # noqa: ASYNC240 - two looks at a local folder, at start-up
            file._mark_corrupt()
            return file
        try:
            await file._start(now)
        except ProblemError as error:
            await file.close()
            if error.problems[0].code != "store_corrupt":
                raise
            file._move_aside(now)
            file._mark_corrupt()
        return file

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
        """Whether the file reads from end to end; takes as long as that takes, while everything else goes on."""
        return await self._readers.run(reads_whole)

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
        await self._readers.close()
        await self._writer.close()
        self._recent.forget()

    async def _start(self, now: Micros) -> None:
        unclean = self._beside("-wal").exists()
        database = await self._open_database(self._opener(writer=True))
        readers: list[Database] = []
        try:
            await database.run(partial(_prepare, path=self.path, now=now, check=unclean))
            events, deliveries = await database.run(last_numbers)
            readers += [await self._open_database(self._opener(writer=False)) for _ in range(self._reader_count)]
        except BaseException as error:
            for opened in (*readers, database):
                await opened.close()
            if isinstance(error, sqlite3.Error):
                raise explained(error, self.path) from error
            raise
        self._events.pass_over(events)
        self._deliveries.pass_over(deliveries)
        self._writer.start(database)
        self._readers.open(readers)

    def _opener(self, *, writer: bool) -> Opener:
        cache = 32 * MIB if writer else 8 * MIB
        return Opener(path=self.path, application_id=EVENTS_APPLICATION, writer=writer, cache_bytes=cache)

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


def _prepare(db: sqlite3.Connection, *, path: Path, now: Micros, check: bool) -> None:
    if check and not reads_whole(db):
        raise ProblemError(problem("store_corrupt", path=str(path)))
    migrate(db, "events", path=path, now=now)

"""The `db` that is passed in: one SQLite connection behind one method, in a thread of its own or inline in the loop."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite

from store.inbox import StoreUnavailable
from touchpoints.handles import handle_lacks
from touchpoints.problem import ProblemError, problem

T = TypeVar("T")

EVENTS_APPLICATION = 0x484B4556  # "HKEV"
CONFIGURATION_APPLICATION = 0x484B434F  # "HKCO"
QUEUE_APPLICATION = 0x484B5155  # "HKQU"
PROXY_APPLICATION = 0x484B5058  # "HKPX"
MIB = 1024 * 1024


class Database(Protocol):
    """One connection to one SQLite file. Works queued at the same time run one after another, in order."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` with the connection, in one hop, and give back what it returns or raises.

        - A caller that is cancelled does not stop a work that has begun or waits.
        - A transaction that `work` leaves open is rolled back.
        - Raises ValueError once closed.
        """

    async def close(self) -> None:
        """Finish what is queued, then close the connection. Harmless when repeated."""


def transaction(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """The same work in a transaction of its own, all of it or nothing."""

    def begun(db: sqlite3.Connection) -> T:
        db.execute("BEGIN IMMEDIATE")
        result = work(db)
        db.execute("COMMIT")
        return result

    return begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """How a connection to a file is opened: a writer makes the file where there is none, a reader can change nothing."""

    path: Path
    application_id: int
    writer: bool
    cache_bytes: int = 16 * MIB
    # Pages in the write-ahead log from which a writer moves them into the file. What is seldom written and must not be lost
    # wants 1: a damaged log reads like one that ended earlier, and SQLite goes on with an older file as if nothing were wrong.
    checkpoint_pages: int = 2000

    def __call__(self) -> sqlite3.Connection:
        """Open it. Raises ProblemError as `explained`, and store_foreign, store_not_wal."""
        try:
            db = sqlite3.connect(self.path, isolation_level=None, cached_statements=512)
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        try:
            self._prepare(db)
        except sqlite3.Error as error:
            db.close()
            raise explained(error, self.path) from error
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA busy_timeout = 10000")
        if self.writer:
            self._establish(db)
        for pragma in (
            "synchronous = FULL",
            "fullfsync = 1",
            "checkpoint_fullfsync = 1",
            "foreign_keys = 1",
            "temp_store = MEMORY",
            "mmap_size = 0",
            f"cache_size = -{self.cache_bytes // 1024}",
            f"journal_size_limit = {16 * MIB}",
            # Before SQLite 3.51.3 two connections that reset a WAL at once can corrupt it: readers never checkpoint.
            f"wal_autocheckpoint = {self.checkpoint_pages if self.writer else 0}",
            f"query_only = {0 if self.writer else 1}",
        ):
            db.execute(f"PRAGMA {pragma}")

    def _establish(self, db: sqlite3.Connection) -> None:
        """Make a new file ours, or check that an old one is."""
        found = pragma_number(db, "application_id")
        if found == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            db.execute("PRAGMA page_size = 8192")  # rows of 2 to 3 KB: a sixth cheaper to store than in pages of 4096
            # In this order: once the journal is a WAL, auto_vacuum silently stays off.
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._use_wal(db)
            db.execute(f"PRAGMA application_id = {self.application_id}")
        elif found == self.application_id:
            self._use_wal(db)
        else:
            raise ProblemError(problem("store_foreign", path=str(self.path)))
        if pragma_number(db, "auto_vacuum") != 2:
            raise ProblemError(problem("store_foreign", path=str(self.path)))

    def _use_wal(self, db: sqlite3.Connection) -> None:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise ProblemError(problem("store_not_wal", path=str(self.path)))


def pragma_number(db: sqlite3.Connection, name: str) -> int:
    """The whole number a pragma answers with, e.g. `page_count`."""
    (value,) = db.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def reads_whole(db: sqlite3.Connection, *, indexes: bool = False) -> bool:
    """Whether SQLite finds the file sound from end to end; that indexes agree with their tables only if asked for.

    Raises sqlite3.Error when it could not be read for another reason: a failing cable is no reason to give up a file.
    """
    try:
        (answer,) = db.execute(f"PRAGMA {'integrity_check' if indexes else 'quick_check'}(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if primary_code(error) in CORRUPT:
            return False
        raise
    return bool(answer == "ok")


CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code of an error; SQLITE_ERROR where Python's own module raised it."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def explained(error: sqlite3.Error, path: Path) -> ProblemError:
    """What an error while opening means for a person."""
    code = primary_code(error)
    if code in CORRUPT:
        return ProblemError(problem("store_corrupt", path=str(path)))
    if code == sqlite3.SQLITE_READONLY:
        return ProblemError(problem("store_read_only", path=str(path)))
    if code == sqlite3.SQLITE_FULL:
        return ProblemError(problem("disk_full", path=str(path)))
    if code == sqlite3.SQLITE_CANTOPEN and handle_lacks():
        return ProblemError(problem("store_no_handles", path=str(path)))
    return ProblemError(problem("store_unopenable", path=str(path), error=str(error)))


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """What an error of a place in configuration.db means for its caller."""
    return StoreUnavailable("disk_full" if primary_code(error) == sqlite3.SQLITE_FULL else "store_failed")


class AiosqliteDatabase:
    """A connection in a thread of its own."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection: aiosqlite.Connection | None = connection

    @classmethod
    async def open(cls, opener: Opener) -> "AiosqliteDatabase":
        """Raises what the opener raises."""
        connection = aiosqlite.Connection(opener, iter_chunk_size=64)
        try:
            return cls(await connection)
        except BaseException:
            connection._thread.join()  # it is ending already, and would speak to a loop that may be closed by then
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """See Database."""
        if self._connection is None:
            raise ValueError("the database is closed")
        # aiosqlite's public methods cost a hop between threads for each statement; this runs a whole transaction in one.
        execute: Any = self._connection._execute
        result: T = await execute(_clean, self._connection._conn, work)
        return result

    async def close(self) -> None:
        """See Database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class InlineDatabase:
    """A connection called in the loop itself, so that a seeded simulation has no thread whose timing it cannot choose."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection

    @classmethod
    async def open(cls, opener: Opener) -> "InlineDatabase":
        """Raises what the opener raises."""
        return cls(opener())

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """See Database."""
        if self._connection is None:
            raise ValueError("the database is closed")
        return _clean(self._connection, work)

    async def close(self) -> None:
        """See Database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


Open = Callable[[Opener], Awaitable[Database]]  # AiosqliteDatabase.open or InlineDatabase.open


def _clean(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        return work(db)
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")

"""The one writer: a queue, and commits that many share (group commit)."""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from store.inbox import StoreUnavailable
from store.sqlite.database import CORRUPT, MIB, Database, primary_code
from touchpoints.problem import ProblemError

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

Batch = Callable[[sqlite3.Connection, list[Any]], Sequence[Any]]
Watcher = Callable[[Sequence[Any], Sequence[Any] | None], None]
Group = tuple[Batch, list[Any]]


# Turns of the loop that a batch waits for more under load: until so many brought nothing, and so many at most.
STILL_TURNS, MOST_TURNS = 3, 16


@dataclass(slots=True)
class _Item:
    batch: Batch
    value: Any
    size: int
    answer: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _RowFailed:
    error: Exception


class Writer:
    """Runs every write. While one batch commits the next gathers, so that concurrent writes share one commit.

    - `trouble` is the code of what keeps it from committing, empty while it works. `store_corrupt` stays until `start`.
    - An item that fails is rolled back and tried again alone, so that it never takes others with it.
    - A failed BEGIN or COMMIT fails its whole batch; after an I/O error the connection is opened anew.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Database]],
        *,
        batch_rows: int = 512,
        batch_bytes: int = 8 * MIB,
        queue_rows: int = 20_000,
        queue_bytes: int = 96 * MIB,
    ) -> None:
        self.trouble = ""
        self._connect = connect
        self._database: Database | None = None
        self._batch_rows, self._batch_bytes = batch_rows, batch_bytes
        self._queue_rows, self._queue_bytes = queue_rows, queue_bytes
        self._queue: deque[_Item] = deque()
        self._queued_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._busy = False  # the last batch held more than one item
        self._watched: dict[Batch, Watcher] = {}

    def watch(self, batch: Batch, told: Watcher) -> None:
        """Tell of every batch of this kind once it is on disk, before its callers: its items and their results.

        Without results it is not known whether it was stored. `told` runs in the loop and must not raise.
        """
        self._watched[batch] = told

    async def submit(self, batch: Callable[[sqlite3.Connection, list[I]], Sequence[R]], item: I, size: int = 0) -> R:
        """Run `batch` with this item and others, in one transaction; returns once that is on disk.

        - `batch` gives one result for each item, in order, and may be run again for each item alone.
        - A caller that is cancelled takes nothing back. `size` is what the item holds in memory, in bytes.
        - Raises StoreUnavailable, or the ProblemError that `batch` raised for this item.
        """
        self._check_open()
        if self._queue and (len(self._queue) >= self._queue_rows or self._queued_bytes + size > self._queue_bytes):
            raise StoreUnavailable("busy", 5)
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.append(_Item(batch, item, size, answer))
        self._queued_bytes += size
        if self._task is None:
            self._task = asyncio.create_task(self._drain())  # noqa: TID251 - held, and answers every exception
        return await answer

    async def run(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one piece of work in a transaction it may share with others. Raises as `submit`."""
        return await self.submit(_run_each, work)

    async def repeat(self, work: Callable[[sqlite3.Connection], int]) -> int:
        """Run a work that does a slice, in a transaction each time, until it says 0; the sum. Raises as `submit`."""
        total = 0
        while count := await self.run(work):
            total += count
        return total

    async def outside(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run what cannot stand in a transaction (checkpoint, vacuum) between two batches. Raises StoreUnavailable."""
        self._check_open()
        try:
            return await (await self._opened()).run(work)
        except (sqlite3.Error, ValueError, ProblemError) as error:
            raise await self._failed(error) from error

    async def close(self) -> None:
        """Commit what is queued, refuse what comes later, close the connection."""
        self._closing = True
        if self._task is not None:
            await asyncio.shield(self._task)
        database, self._database = self._database, None
        if database is not None:
            await database.close()

    def start(self, database: Database) -> None:
        """Write to this database from now on, also after `close`."""
        self._database = database
        self._closing = False
        self.trouble = ""

    def _check_open(self) -> None:
        if self.trouble == "store_corrupt":
            raise StoreUnavailable(self.trouble)
        if self._closing:
            raise StoreUnavailable("closing")

    async def _drain(self) -> None:
        try:
            while self._queue:
                await self._linger()
                items = self._gather()
                self._busy = len(items) > 1
                await self._commit(items)
        finally:
            self._task = None
            while self._queue:  # only when the loop itself is being torn down
                _fail([self._queue.popleft()], StoreUnavailable("closing"))
            self._queued_bytes = 0

    async def _linger(self) -> None:
        """Under load, let what the loop is just receiving come along: a commit costs as much as many rows."""
        turns = still = 0
        while self._busy and not self._closing and still < STILL_TURNS and turns < MOST_TURNS:
            had = len(self._queue)
            await asyncio.sleep(0)
            turns += 1
            still = 0 if len(self._queue) > had else still + 1

    def _gather(self) -> list[_Item]:
        queue = self._queue
        items = [queue.popleft()]
        size = items[0].size
        while queue and len(items) < self._batch_rows and size + queue[0].size <= self._batch_bytes:
            item = queue.popleft()
            size += item.size
            items.append(item)
        self._queued_bytes -= size
        return items

    async def _commit(self, items: list[_Item]) -> None:
        groups: dict[Batch, list[_Item]] = {}
        for item in items:
            groups.setdefault(item.batch, []).append(item)
        work = [(batch, [item.value for item in members]) for batch, members in groups.items()]
        try:
            results = await (await self._opened()).run(partial(_commit, groups=work))
        except Exception as error:  # whatever it is, every caller gets an answer and the writer goes on
            self._tell(work, [None] * len(work))
            _fail(items, await self._failed(error))
            return
        except BaseException:
            self._tell(work, [None] * len(work))
            _fail(items, StoreUnavailable("closing"))
            raise
        if self.trouble != "store_corrupt":
            self.trouble = ""
        self._tell(work, results)
        for members, outcomes in zip(groups.values(), results, strict=True):
            for item, outcome in zip(members, outcomes, strict=True):
                _answer(item.answer, outcome)

    def _tell(self, groups: list[Group], results: Sequence[Sequence[Any] | None]) -> None:
        for (batch, values), outcomes in zip(groups, results, strict=True):
            if (told := self._watched.get(batch)) is not None:
                told(values, outcomes)

    async def _opened(self) -> Database:
        if self._database is None:
            self._database = await self._connect()
        return self._database

    async def _failed(self, error: Exception) -> StoreUnavailable:
        """Note what went wrong, and drop the connection unless the disk was only full or the file locked."""
        code = primary_code(error) if isinstance(error, sqlite3.Error) else -1
        if code == sqlite3.SQLITE_BUSY:
            return _because(error, StoreUnavailable("busy", 5))
        if self.trouble != "store_corrupt":
            self.trouble = _trouble(error, code)
        if code != sqlite3.SQLITE_FULL and self._database is not None:
            database, self._database = self._database, None
            with contextlib.suppress(Exception):  # it is broken already; what matters is the new one
                await database.close()
        return _because(error, StoreUnavailable(self.trouble))


def _trouble(error: Exception, code: int) -> str:
    if isinstance(error, ProblemError):
        return error.problems[0].code
    if code == sqlite3.SQLITE_FULL:
        return "disk_full"
    if code == sqlite3.SQLITE_READONLY:
        return "store_read_only"
    return "store_corrupt" if code in CORRUPT else "store_failed"


def _because(cause: Exception, error: StoreUnavailable) -> StoreUnavailable:
    error.__cause__ = cause
    return error


def _fail(items: Sequence[_Item], error: StoreUnavailable) -> None:
    for item in items:
        if not item.answer.done():
            item.answer.set_exception(_because(error, StoreUnavailable(error.code, error.retry_after)))


def _answer(future: "asyncio.Future[Any]", outcome: Any) -> None:
    if future.done():  # its caller went away
        return
    if type(outcome) is not _RowFailed:
        future.set_result(outcome)
    elif isinstance(outcome.error, ProblemError | StoreUnavailable):
        future.set_exception(outcome.error)
    else:
        future.set_exception(_because(outcome.error, StoreUnavailable("store_row_failed")))


def _run_each(db: sqlite3.Connection, works: list[Callable[[sqlite3.Connection], R]]) -> list[R]:
    return [work(db) for work in works]


def _commit(db: sqlite3.Connection, groups: list[Group]) -> list[Sequence[Any]]:
    """The whole batch in one transaction. Raises sqlite3.Error when nothing of it is known to be stored."""
    db.execute("BEGIN IMMEDIATE")
    try:
        results = [_group(db, batch, values) for batch, values in groups]
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return results


def _group(db: sqlite3.Connection, batch: Batch, values: list[Any]) -> Sequence[Any]:
    db.execute("SAVEPOINT part")
    try:
        results = batch(db, values)
        if len(results) != len(values):
            raise ValueError("a batch gave another number of results than it had items")
        db.execute("RELEASE part")
    except Exception as error:
        if not db.in_transaction or _is_fatal(error):
            raise
        db.execute("ROLLBACK TO part")
        db.execute("RELEASE part")
        if len(values) == 1:
            return [_RowFailed(error)]
        return [result for value in values for result in _group(db, batch, [value])]
    return results


_FATAL = CORRUPT | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
}


def _is_fatal(error: Exception) -> bool:
    """Whether an error speaks of the file rather than of the row."""
    return isinstance(error, sqlite3.Error) and primary_code(error) in _FATAL

"""The writer: shared commits, rows that fail alone, and errors of the file that fail their whole batch and then pass."""

import asyncio
import functools
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from store.inbox import StoreUnavailable
from store.sqlite.database import EVENTS_APPLICATION, AiosqliteDatabase, Database, InlineDatabase, Open, Opener
from store.sqlite.writer import Writer
from tests.store.make import query
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio
T = TypeVar("T")


class Faulty:
    """A database whose next works can be made to fail at one statement."""

    def __init__(self, inner: Database, faults: list[tuple[str, int]]) -> None:
        self.inner, self.faults = inner, faults

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self.inner.run(lambda db: work(FaultyConnection(db, self.faults)))  # type: ignore[arg-type]

    async def close(self) -> None:
        await self.inner.close()


class FaultyConnection:
    """Raises an SQLite error where the next planned fault names the statement."""

    def __init__(self, db: sqlite3.Connection, faults: list[tuple[str, int]]) -> None:
        self.db, self.faults = db, faults

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if self.faults and sql.startswith(self.faults[0][0]):
            error = sqlite3.OperationalError("injected")
            error.sqlite_errorcode = self.faults.pop(0)[1]
            raise error
        return self.db.execute(sql, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.db, name)


class Bench:
    """A writer on a table of unique numbers, and what was done with its connections."""

    def __init__(self, path: Path, open_database: Open) -> None:
        self.path, self.open_database = path, open_database
        self.faults: list[tuple[str, int]] = []
        self.batches: list[list[int]] = []
        self.connected = 0
        self.writer = self.make()

    def make(self, **bounds: int) -> Writer:
        return Writer(self.connect, **bounds)

    async def connect(self) -> Database:
        self.connected += 1
        return Faulty(
            await self.open_database(Opener(path=self.path, application_id=EVENTS_APPLICATION, writer=True)), self.faults
        )

    def insert(self, db: sqlite3.Connection, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        for number in numbers:
            db.execute("INSERT INTO numbers VALUES (?)", (number,))
        return [number * 10 for number in numbers]

    async def put(self, number: int) -> int:
        return await self.writer.submit(self.insert, number, 10)

    def stored(self) -> list[int]:
        return [number for (number,) in query(self.path, "SELECT x FROM numbers ORDER BY x")]


@pytest.fixture
async def bench(path: Path, open_database: Open) -> AsyncIterator[Bench]:
    made = Bench(path, open_database)
    await made.writer.run(lambda db: db.execute("CREATE TABLE numbers (x INTEGER UNIQUE CHECK (x < 1000)) STRICT") and None)
    yield made
    await made.writer.close()


async def test_concurrent_items_share_a_commit(bench: Bench) -> None:
    """What is submitted together runs together, and each caller gets its own result."""
    assert await asyncio.gather(*[bench.put(number) for number in range(50)]) == [number * 10 for number in range(50)]
    assert bench.batches == [list(range(50))]
    assert bench.stored() == list(range(50))


async def test_a_row_that_fails_fails_alone(bench: Bench) -> None:
    """Of a batch with one bad row all others are stored, and the bad one's caller is told."""
    results = await asyncio.gather(*[bench.put(number) for number in (1, 2, 5000, 2, 3)], return_exceptions=True)
    failures = [result for result in results if isinstance(result, StoreUnavailable)]
    assert [failure.code for failure in failures] == ["store_row_failed"] * 2
    assert [result for result in results if isinstance(result, int)] == [10, 20, 30]
    assert bench.stored() == [1, 2, 3]
    assert bench.writer.trouble == ""


async def test_a_problem_reaches_its_caller_as_it_is(bench: Bench) -> None:
    """What a person must mend is not turned into something else, and undoes only its own work."""

    def refuse(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO numbers VALUES (7)")
        raise ProblemError(problem("body_pruned"))

    refused, stored = await asyncio.gather(bench.writer.run(refuse), bench.put(8), return_exceptions=True)
    assert isinstance(refused, ProblemError)
    assert stored == 80
    assert bench.stored() == [8]


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "INSERT"])
async def test_an_io_error_fails_the_batch_and_the_connection_is_replaced(bench: Bench, statement: str) -> None:
    """Nobody is told it was stored, the connection is opened anew, and the next batch works."""
    bench.faults.append((statement, sqlite3.SQLITE_IOERR_WRITE))
    results = await asyncio.gather(bench.put(1), bench.put(2), return_exceptions=True)
    assert [result.code for result in results if isinstance(result, StoreUnavailable)] == ["store_failed"] * 2
    assert bench.writer.trouble == "store_failed"
    assert await bench.put(3) == 30
    assert bench.writer.trouble == ""
    assert bench.connected == 2
    assert bench.stored() == [3]


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "INSERT"])
async def test_a_full_disk_passes_without_a_new_connection(bench: Bench, statement: str) -> None:
    """A full disk is told as such, and the first commit that works again ends it."""
    bench.faults.append((statement, sqlite3.SQLITE_FULL))
    with pytest.raises(StoreUnavailable) as caught:
        await bench.put(1)
    assert (caught.value.code, bench.writer.trouble) == ("disk_full", "disk_full")
    assert await bench.put(2) == 20
    assert (bench.writer.trouble, bench.connected, bench.stored()) == ("", 1, [2])


async def test_a_locked_file_is_busy(bench: Bench) -> None:
    """Another program that locks the file makes the sender come back soon, and is no fault of the file."""
    bench.faults.append(("BEGIN", sqlite3.SQLITE_BUSY))
    with pytest.raises(StoreUnavailable) as caught:
        await bench.put(1)
    assert (caught.value.code, bench.writer.trouble) == ("busy", "")


async def test_a_damaged_file_takes_nothing_more(bench: Bench) -> None:
    """Once SQLite says the file is damaged nothing is accepted into it."""
    bench.faults.append(("COMMIT", sqlite3.SQLITE_CORRUPT))
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            await bench.put(1)
        assert caught.value.code == "store_corrupt"
    assert bench.stored() == []


async def test_a_cancelled_caller_cancels_no_batch(bench: Bench) -> None:
    """An item whose caller went away before or during the commit is stored all the same, as are its neighbours."""
    tasks = [asyncio.get_running_loop().create_task(bench.put(number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0::2] == [0, 20]
    await bench.put(9)
    assert bench.stored() == [0, 1, 2, 9]


async def test_batches_are_bounded_by_rows_and_bytes(bench: Bench) -> None:
    """No batch is larger than its bounds, except one item that is larger by itself."""
    bench.writer, first = bench.make(batch_rows=4, batch_bytes=30), bench.writer
    await first.close()
    await asyncio.gather(*[bench.put(number) for number in range(7)], bench.writer.submit(bench.insert, 99, 1000))
    assert [len(batch) for batch in bench.batches] == [3, 3, 1, 1]
    assert bench.stored() == [0, 1, 2, 3, 4, 5, 6, 99]


async def test_a_full_queue_is_busy(bench: Bench) -> None:
    """What does not fit into the queue is refused at once, and what waits is stored."""
    bench.writer, first = bench.make(queue_rows=5, queue_bytes=1000), bench.writer
    await first.close()
    results = await asyncio.gather(*[bench.put(number) for number in range(8)], return_exceptions=True)
    assert [result.code for result in results if isinstance(result, StoreUnavailable)] == ["busy"] * 3
    assert bench.stored() == [0, 1, 2, 3, 4]


async def test_closing_stores_what_waits_and_refuses_the_rest(bench: Bench) -> None:
    """Nothing that was taken in before the close is lost by it."""
    waiting = [asyncio.get_running_loop().create_task(bench.put(number)) for number in range(20)]
    await asyncio.sleep(0)
    await bench.writer.close()
    assert await asyncio.gather(*waiting) == [number * 10 for number in range(20)]
    with pytest.raises(StoreUnavailable) as caught:
        await bench.put(21)
    assert caught.value.code == "closing"
    with pytest.raises(StoreUnavailable, match="closing"):
        await bench.writer.outside(lambda _: None)
    assert bench.stored() == list(range(20))


async def test_different_works_share_a_batch_and_do_not_share_a_fate(bench: Bench) -> None:
    """Two kinds of work in one transaction: where one kind fails, the other is stored."""

    def broken(db: sqlite3.Connection, items: list[int]) -> list[int]:
        db.execute("INSERT INTO numbers VALUES (500)")
        raise ArithmeticError

    results = await asyncio.gather(
        bench.put(1), bench.writer.submit(functools.partial(broken), 1), bench.put(2), return_exceptions=True
    )
    assert (results[0], results[2]) == (10, 20)
    assert isinstance(results[1], StoreUnavailable)
    assert bench.stored() == [1, 2]


async def test_a_connection_that_cannot_be_opened_is_tried_again(path: Path) -> None:
    """While the file cannot be opened every caller is told, and the first that can be opened ends it."""
    attempts: list[int] = []

    async def connect() -> Database:
        attempts.append(1)
        if len(attempts) < 3:
            raise ProblemError(problem("store_unopenable", error="for the test"))
        return await InlineDatabase.open(Opener(path=path, application_id=EVENTS_APPLICATION, writer=True))

    writer = Writer(connect)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            await writer.run(lambda _: None)
        assert caught.value.code == "store_unopenable"
    await writer.run(lambda _: None)
    assert writer.trouble == ""
    await writer.close()


async def test_a_torn_down_loop_leaves_no_caller_waiting(path: Path) -> None:
    """When the writer's own task is cancelled, its callers are told instead of waiting for ever."""
    opener = Opener(path=path, application_id=EVENTS_APPLICATION, writer=True)
    writer = Writer(functools.partial(AiosqliteDatabase.open, opener))
    await writer.run(lambda _: None)
    caller = asyncio.get_running_loop().create_task(writer.run(lambda _: None))
    await asyncio.sleep(0)
    assert writer._task is not None
    await asyncio.sleep(0)
    writer._task.cancel()
    with pytest.raises(StoreUnavailable):
        await caller
    await writer.close()


async def test_work_between_batches_reports_as_a_batch_does(bench: Bench) -> None:
    """A vacuum or checkpoint that fails is told, and the writer goes on with a new connection."""
    bench.faults.append(("PRAGMA", sqlite3.SQLITE_IOERR_FSYNC))
    with pytest.raises(StoreUnavailable, match="store_failed"):
        await bench.writer.outside(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    assert await bench.put(1) == 10
    assert (bench.writer.trouble, bench.connected) == ("", 2)

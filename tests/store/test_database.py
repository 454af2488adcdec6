"""Both forms of a database keep one contract, and a file is opened the safe way."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from store.sqlite.database import CONFIGURATION_APPLICATION, EVENTS_APPLICATION, AiosqliteDatabase, Open, Opener, pragma_number
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


def opener(path: Path, *, writer: bool = True, application_id: int = EVENTS_APPLICATION) -> Opener:
    return Opener(path=path, application_id=application_id, writer=writer)


async def test_run_gives_back_what_work_returns_or_raises(path: Path, open_database: Open) -> None:
    """A result and an exception both come back to the caller, and the connection goes on."""
    database = await open_database(opener(path))
    try:
        with pytest.raises(ZeroDivisionError):
            await database.run(lambda _: 1 // 0)
        assert await database.run(lambda db: db.execute("SELECT 41 + 1").fetchone()) == (42,)
    finally:
        await database.close()


async def test_an_open_transaction_is_rolled_back(path: Path, open_database: Open) -> None:
    """A work that leaves a transaction open has done nothing."""
    database = await open_database(opener(path))
    try:
        await database.run(lambda db: db.execute("CREATE TABLE t (x)"))
        await database.run(lambda db: db.executescript("BEGIN; INSERT INTO t VALUES (1)"))
        assert await database.run(lambda db: db.execute("SELECT count(*) FROM t").fetchone()) == (0,)
    finally:
        await database.close()


async def test_close_is_repeatable_and_final(path: Path, open_database: Open) -> None:
    """A closed database refuses work, and closing it twice is harmless."""
    database = await open_database(opener(path))
    await database.close()
    await database.close()
    with pytest.raises(ValueError, match="closed"):
        await database.run(lambda _: None)


async def test_a_cancelled_caller_stops_nothing(path: Path) -> None:
    """A work that runs when its caller is cancelled is finished."""
    database = await AiosqliteDatabase.open(opener(path))
    begun, go_on = threading.Event(), threading.Event()

    def work(db: sqlite3.Connection) -> None:
        begun.set()
        go_on.wait(10)
        db.execute("CREATE TABLE finished (x)")

    try:
        task = asyncio.get_running_loop().create_task(database.run(work))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await database.run(lambda db: db.execute("SELECT count(*) FROM finished").fetchone()) == (0,)
    finally:
        await database.close()


def test_a_new_file_is_made_the_safe_way(path: Path) -> None:
    """Incremental vacuum, WAL and full synchronisation are really on, also when opened again."""
    for _ in range(2):
        db = opener(path)()
        wanted = {"auto_vacuum": 2, "synchronous": 2, "foreign_keys": 1, "mmap_size": 0, "application_id": EVENTS_APPLICATION}
        assert {name: pragma_number(db, name) for name in wanted} == wanted
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.close()


def test_a_reader_changes_nothing_and_never_checkpoints(path: Path) -> None:
    """Only the writer may write or move the WAL into the file."""
    writer, reader = opener(path)(), opener(path, writer=False)()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("CREATE TABLE t (x)")
    assert pragma_number(reader, "wal_autocheckpoint") == 0
    reader.close()
    writer.close()


def test_another_kind_of_file_is_refused(path: Path) -> None:
    """A configuration file isn't an events file, and neither is a stranger's database."""
    opener(path, application_id=CONFIGURATION_APPLICATION)().close()
    stranger = path.with_name("stranger.db")
    db = sqlite3.connect(stranger)
    db.execute("CREATE TABLE t (x)")
    db.close()
    for wrong in (path, stranger):
        with pytest.raises(ProblemError) as caught:
            opener(wrong)()
        assert caught.value.problems[0].code == "store_foreign"


def test_what_cannot_be_opened_is_told_in_words(path: Path) -> None:
    """A missing folder and a file that is no database each have their problem."""
    path.write_bytes(b"this is not a database, whatever its name says " * 100)
    for wrong, code in ((path, "store_corrupt"), (path.parent / "missing" / "events.db", "store_unopenable")):
        with pytest.raises(ProblemError) as caught:
            opener(wrong)()
        assert caught.value.problems[0].code == code


def test_a_journal_that_is_no_wal_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place where SQLite cannot share memory (a network drive) is refused, not used unsafely."""
    real = sqlite3.connect

    class NetworkDrive(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode"), *parameters)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: real(*args, factory=NetworkDrive, **named))
    with pytest.raises(ProblemError) as caught:
        opener(path)()
    assert caught.value.problems[0].code == "store_not_wal"

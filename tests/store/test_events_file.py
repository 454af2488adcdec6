"""The events file: damaged it is moved aside and nothing is accepted; newer, foreign or unwritable it is refused in words."""

import os
import sqlite3
import sys
from functools import partial
from pathlib import Path

import pytest

from store.inbox import StoreUnavailable
from store.sqlite.database import AiosqliteDatabase, Open, pragma_number
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, opened, query
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


def names(path: Path) -> list[str]:
    """What stands in the file's folder."""
    return [entry.name for entry in path.parent.iterdir()]


def protect(path: Path, *, writable: bool) -> None:
    """Let the account write to the file and its folder, or not."""
    path.chmod(0o600 if writable else 0o400)
    path.parent.chmod(0o700 if writable else 0o500)


def contents(path: Path) -> bytes:
    """A file's bytes."""
    return path.read_bytes()


def overwrite_whole(path: Path, data: bytes) -> None:
    """Make a file of these bytes."""
    path.write_bytes(data)


def overwrite(path: Path, start: int, data: bytes) -> None:
    """Damage a file."""
    with path.open("r+b") as raw:
        raw.seek(start)
        raw.write(data)


async def refused(path: Path) -> str:
    """The code of the problem that opening a file comes to."""
    with pytest.raises(ProblemError) as caught:
        await EventsFile.open(path, AiosqliteDatabase.open, now=NOW)
    return caught.value.problems[0].code


async def filled(path: Path, open_database: Open = AiosqliteDatabase.open) -> None:
    """A file with a hundred events in it, closed."""
    async with opened(path, open_database) as file:
        for number in range(100):
            await file.inbox.put(arrival(number, b"x" * 3000))


async def test_a_clean_close_leaves_one_file(path: Path, open_database: Open) -> None:
    """The last connection to close writes the log into the file; opened again, all is there."""
    await filled(path, open_database)
    assert names(path) == ["events.db"]
    async with opened(path, open_database) as file:
        assert (file.state, file.problem, await file.inbox.waiting()) == ("ready", None, 100)


async def test_places_refuse_once_closed(path: Path, open_database: Open) -> None:
    """After the close every place says so instead of hanging."""
    async with opened(path, open_database) as file:
        pass
    for refusing in (partial(file.inbox.put, arrival(1)), file.log.backlog, partial(file.outbox.plan, [])):
        with pytest.raises(StoreUnavailable, match="closing"):
            await refusing()


async def test_a_damaged_file_is_moved_aside_and_waits_for_a_person(path: Path, open_database: Open) -> None:
    """Nothing is deleted, nothing accepted, also after a restart, until a person starts empty."""
    garbage = b"this was an events file once" * 1000
    overwrite_whole(path, garbage)
    for _ in range(2):
        async with opened(path, open_database) as file:
            assert file.state == "corrupt"
            assert file.problem is not None
            assert "events.db" not in names(path)
            assert list(map(contents, file.moved_aside())) == [garbage]
            for refusing in (partial(file.inbox.put, arrival(1)), file.log.backlog):
                with pytest.raises(StoreUnavailable, match="store_corrupt"):
                    await refusing()
    async with opened(path, open_database) as file:
        await file.start_empty(now=NOW + 1)
        await file.inbox.put(arrival(1))
        assert (file.state, await file.inbox.waiting()) == ("ready", 1)
        assert list(map(contents, file.moved_aside())) == [garbage]
    async with opened(path, open_database) as file:
        assert (file.state, await file.inbox.waiting()) == ("ready", 1)


async def test_an_unclean_stop_is_checked(path: Path) -> None:
    """After a stop that left a WAL a damaged page is found before anything is accepted into the file."""
    await filled(path)
    db = sqlite3.connect(path)
    page = pragma_number(db, "page_size")
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_age'").fetchone()
    db.close()
    overwrite(path, (root - 1) * page + 8, b"\xff" * 64)
    overwrite_whole(path.with_name("events.db-wal"), b"")
    async with opened(path) as file:
        assert file.state == "corrupt"
        assert len(file.moved_aside()) == 1


async def test_damage_found_while_running_stops_everything(path: Path, open_database: Open) -> None:
    """A read that meets a damaged page makes the file corrupt; starting empty moves it aside with every connection closed."""
    await filled(path, open_database)
    overwrite(path, 4096 * 2, b"\xff" * (len(contents(path)) - 4096 * 2))
    async with opened(path, open_database) as file:
        with pytest.raises(StoreUnavailable, match="store_corrupt"):
            await file.inbox.take(limit=1000)
        assert file.state == "corrupt"
        with pytest.raises(StoreUnavailable, match="store_corrupt"):
            await file.inbox.put(arrival(1000))
        await file.start_empty(now=NOW)
        await file.inbox.put(arrival(1))
        assert (file.state, len(file.moved_aside())) == ("ready", 1)


async def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    """A file from a newer program is neither opened nor moved."""
    await filled(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = contents(path)
    assert await refused(path) == "store_newer"
    assert contents(path) == before


async def test_another_kind_of_database_is_refused(path: Path) -> None:
    """A database that isn't ours is left as it is."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    assert await refused(path) == "store_foreign"
    assert query(path, "SELECT name FROM sqlite_master") == [("theirs",)]


async def test_a_missing_folder_is_told_in_words(path: Path) -> None:
    """A folder that isn't there is a problem, not a traceback."""
    assert await refused(path.parent / "missing" / "events.db") == "store_unopenable"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root and Windows write into read-only folders")
async def test_a_read_only_folder_is_told_in_words(path: Path) -> None:
    """A folder or file the account may not write to is a problem, not a traceback."""
    await filled(path)
    protect(path, writable=False)
    try:
        assert await refused(path) in {"store_read_only", "store_unopenable"}
    finally:
        protect(path, writable=True)


async def test_a_full_disk_recovers_by_itself(path: Path, open_database: Open) -> None:
    """While there is no room every put is refused, nothing half is stored, and the first that fits ends it."""
    async with opened(path, open_database) as file:
        await file.inbox.put(arrival(1))

        def limit(db: sqlite3.Connection, pages: int) -> None:
            db.execute(f"PRAGMA max_page_count = {pages}").fetchall()

        await file._writer.outside(lambda db: limit(db, pragma_number(db, "page_count") + 2))
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="disk_full"):
                await file.inbox.put(arrival(2, b"x" * 100_000))
            assert file.state == "full"
        assert len(await file.inbox.take(limit=9)) == 1
        await file._writer.outside(lambda db: limit(db, 1_000_000))
        await file.inbox.put(arrival(2, b"x" * 100_000))
        assert (file.state, await file.inbox.waiting()) == ("ready", 2)


async def test_a_file_that_is_in_use_by_a_viewer_still_works(path: Path) -> None:
    """Another program that reads the file does not stop it, and its lock is no damage."""
    async with opened(path) as file:
        viewer = sqlite3.connect(path)
        viewer.execute("BEGIN")
        viewer.execute("SELECT count(*) FROM events").fetchone()
        await file.inbox.put(arrival(1))
        viewer.close()
        assert file.state == "ready"

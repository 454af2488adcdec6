"""The look through a whole file while it is in use: what it sees, that it holds up nothing, and what damage comes to."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.inbox import StoreUnavailable
from store.sqlite.database import AiosqliteDatabase, pragma_number
from store.sqlite.events_file import EventsFile
from store.sqlite.look_through import tables
from tests.store.make import NOW, arrival, opened
from tests.store.test_events_file import contents, overwrite_whole

pytestmark = pytest.mark.anyio


async def filled(path: Path) -> None:
    """A file with a hundred events in it, closed."""
    async with opened(path) as file:
        for number in range(100):
            await file.inbox.put(arrival(number, b"x" * 3000))


def part_from_an_index(path: Path) -> None:
    """Change a row and not an index of it: the quick check of SQLite sees nothing wrong."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        (row,) = db.execute(
            "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'events_age'"
        ).fetchall()
        db.execute("DELETE FROM sqlite_schema WHERE name = 'events_age'")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE events SET received_at = received_at + 1000 WHERE seq = 7")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", row)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def damage_a_page(path: Path) -> None:
    """Write over a page of an index."""
    with closing(sqlite3.connect(path)) as db:
        page = pragma_number(db, "page_size")
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events_age'").fetchone()
    with path.open("r+b") as raw:
        raw.seek((root - 1) * page + 8)
        raw.write(b"\xff" * 64)


async def test_a_sound_file_is_found_sound(path: Path) -> None:
    """Every table of it is looked at, while events go on coming in."""
    await filled(path)
    async with opened(path) as file:
        looking = asyncio.create_task(file.look_through())
        await file.inbox.put(arrival(1000))
        assert await looking is True
        assert await file.check()
        assert (file.state, await file.inbox.waiting()) == ("ready", 101)
        assert {"sqlite_schema", "events", "inbox", "bodies", "deliveries"} <= set(await file._readers.run(tables))


@pytest.mark.parametrize("damage", [part_from_an_index, damage_a_page])
async def test_damage_of_a_file_that_was_closed_cleanly(path: Path, damage: object) -> None:
    """It opens as if nothing were wrong; the look finds it, everything stops, and the next start moves it aside."""
    await filled(path)
    assert callable(damage)
    damage(path)
    async with opened(path) as file:
        assert file.state == "ready"
        assert await file.look_through() is False
        assert (file.state, file.moved_aside()) == ("corrupt", [])
        assert await file.look_through() is False
        with pytest.raises(StoreUnavailable, match="store_corrupt"):
            await file.inbox.put(arrival(1000))
    async with opened(path) as file:
        assert (file.state, len(file.moved_aside())) == ("corrupt", 1)
        await file.start_empty(now=NOW)
        await file.inbox.put(arrival(1))
        assert await file.look_through() is True
    assert sorted(one.suffix for one in path.parent.iterdir()) == [".db", ".db"]


async def test_a_copy_that_is_put_back_is_taken_up(path: Path) -> None:
    """A file in the place of the damaged one is looked through once at its start, and no more is made of it."""
    await filled(path)
    whole = contents(path)
    part_from_an_index(path)
    async with opened(path) as file:
        assert await file.check() is False
    overwrite_whole(path, whole)
    async with opened(path) as file:
        assert (file.state, await file.inbox.waiting()) == ("ready", 100)
    assert [one.name for one in path.parent.iterdir()] == ["events.db"]


async def test_it_gives_up_where_too_much_is_written(path: Path) -> None:
    """While it holds a moment, the write-ahead log cannot be emptied."""
    await filled(path)
    async with opened(path) as file:
        assert await file.look_through(growth=-1) is None
        assert file.state == "ready"


async def test_a_close_ends_it(path: Path) -> None:
    """Nobody waits for its end, and no log is left, which the next start would take for an unclean stop."""
    await filled(path)
    file = await EventsFile.open(path, AiosqliteDatabase.open, now=NOW)
    looking = asyncio.create_task(file.look_through())
    await asyncio.sleep(0)
    await file.close()
    assert await looking in {None, True}
    assert await file.look_through() is None
    with pytest.raises(StoreUnavailable, match="closing"):
        await file.check()
    assert [one.name for one in path.parent.iterdir()] == ["events.db"]


async def test_after_an_unclean_stop_it_is_due(path: Path) -> None:
    """Until it was done."""
    await filled(path)
    path.with_name("events.db-wal").touch()
    async with opened(path) as file:
        assert file.stopped_uncleanly
        assert await file.look_through()
        assert not file.stopped_uncleanly

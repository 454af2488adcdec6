"""Copies of the two files: what is unsettled goes along, what is settled only where it is wanted."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.sqlite.backup import SqliteBackupFiles
from store.sqlite.counters import counted
from store.sqlite.database import CONFIGURATION_APPLICATION, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
from tests.store.make import NOW, arrival, opened, put_and_plan, query, recounted, settle_all
from touchpoints.event import Verdict
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio
FILES = SqliteBackupFiles()


async def prepared(path: Path) -> None:
    """One delivered, one failing, one refused and kept, one in the inbox; the first three with bodies."""
    async with opened(path) as file:
        await put_and_plan(file, [arrival(1, b"delivered")])
        await settle_all(file)
        await put_and_plan(file, [arrival(2, b"failing")])
        await file.inbox.put(arrival(3, b"refused", verdict=Verdict.REFUSED, reason="signature_wrong"))
        await file.inbox.put(arrival(4, b"waiting", dedup_key="7:x"))


async def test_what_is_unsettled_goes_along(tmp_path: Path) -> None:
    """Rows of settled events only where the dedup memory, or their number, needs them; their bodies only if asked."""
    source = tmp_path / "events.db"
    await prepared(source)
    counted = FILES.copy_events(source, tmp_path / "copy.db", bodies=False)
    assert (counted.waiting, counted.bodies) == (2, 3)
    assert bodies(tmp_path / "copy.db") == {b"failing", b"refused", b"waiting"}
    assert FILES.copy_events(source, tmp_path / "whole.db", bodies=True).bodies == 4
    assert bodies(tmp_path / "whole.db") == {b"delivered", b"failing", b"refused", b"waiting"}


async def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    """The agent goes on putting; the copy opens like any events file, and its counters are right."""
    source, target = tmp_path / "events.db", tmp_path / "copy.db"
    async with opened(source) as file:
        for number in range(1, 40):
            await put_and_plan(file, [arrival(number)])
        writing = asyncio.create_task(keep_putting(file))
        counted = await asyncio.to_thread(FILES.copy_events, source, target, bodies=False)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    with closing(sqlite3.connect(target)) as db:
        kept, found = both_counts(db)
        assert kept == found
    async with opened(target) as copy:
        assert len(await copy.inbox.take(limit=10_000)) + 39 == counted.waiting


async def keep_putting(file: EventsFile) -> None:
    """Events without end."""
    for number in range(100, 100_000):
        await file.inbox.put(arrival(number))


async def test_a_restored_file_holds_what_was_planned(tmp_path: Path) -> None:
    """Nothing that was pending goes out by itself."""
    source = tmp_path / "events.db"
    await prepared(source)
    FILES.waits_until(source)
    assert query(source, "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state") == [
        ("delivered", 1),
        ("held", 1),
    ]
    with closing(sqlite3.connect(source)) as db:
        kept, found = both_counts(db)
        assert kept == found
    FILES.waits_until(source)
    assert query(source, "SELECT count(*) FROM deliveries WHERE state = 'held'") == [(1,)]


async def test_a_damaged_copy_is_found(tmp_path: Path) -> None:
    """What does not read from end to end is not put back."""
    async with opened(tmp_path / "events.db") as file:
        for number in range(1, 200):
            await file.inbox.put(arrival(number, b"x" * 3000))
    configuration = tmp_path / "configuration.db"
    opener = Opener(path=configuration, application_id=CONFIGURATION_APPLICATION, writer=True)
    with closing(opener()) as db:
        migrate(db, "configuration", path=configuration, now=NOW)
    assert FILES.try_restore(configuration, tmp_path / "events.db", now=NOW).events == 199
    with (tmp_path / "events.db").open("r+b") as damaged:
        damaged.seek(100_000)
        damaged.write(b"\xff" * 60_000)
    with pytest.raises(ProblemError) as caught:
        FILES.try_restore(configuration, tmp_path / "events.db", now=NOW)
    assert caught.value.problems[0].code == "store_corrupt"


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Any SQLite file could be in a zip."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(ProblemError) as caught:
        FILES.try_restore(tmp_path / "other.db", tmp_path / "other.db", now=NOW)
    assert caught.value.problems[0].code == "store_foreign"


def bodies(path: Path) -> set[object]:
    """Every body in a file."""
    return {data for (data,) in query(path, "SELECT data FROM bodies")}


def both_counts(db: sqlite3.Connection) -> tuple[object, object]:
    """The counters as kept, and as they are counted anew."""
    return counted(db), recounted(db)

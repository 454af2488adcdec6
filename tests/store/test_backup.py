"""Copies of an agent's two files: what is unsettled goes along, what is settled only where it is wanted."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.backup import CONFIGURATION, Counted
from store.sqlite.backup import EVENTS, SqliteBackupFiles, hold_what_waits
from store.sqlite.counters import counted
from store.sqlite.database import CONFIGURATION_APPLICATION, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
from tests.store.make import NOW, arrival, opened, put_and_plan, query, recounted, settle_all
from touchpoints.event import Verdict
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio
FILES = SqliteBackupFiles()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a configuration."""
    made = tmp_path / "data"
    made.mkdir()
    path = made / CONFIGURATION
    with closing(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True)()) as db:
        migrate(db, "configuration", path=path, now=NOW)
    return made


def copied(folder: Path, name: str, *, settled: bool = False) -> tuple[Path, Counted, list[int]]:
    """A copy of a data folder, what is counted in it, and the sizes that were told before."""
    target, sizes = folder.parent / name, list[int]()
    target.mkdir()
    return target / EVENTS, FILES.copy(folder, target, settled=settled, room=sizes.append), sizes


async def prepared(path: Path) -> None:
    """One delivered, one failing, one refused and kept, one in the inbox; the first three with bodies."""
    async with opened(path) as file:
        await put_and_plan(file, [arrival(1, b"delivered")])
        await settle_all(file)
        await put_and_plan(file, [arrival(2, b"failing")])
        await file.inbox.put(arrival(3, b"refused", verdict=Verdict.REFUSED, reason="signature_wrong"))
        await file.inbox.put(arrival(4, b"waiting", dedup_key="7:x"))


async def test_what_is_unsettled_goes_along(folder: Path) -> None:
    """Rows of settled events only where the dedup memory, or their number, needs them; their bodies only if asked."""
    await prepared(folder / EVENTS)
    path, counted, _ = copied(folder, "copy")
    assert (counted.waiting, counted.bodies) == (2, 3)
    assert bodies(path) == {b"failing", b"refused", b"waiting"}
    path, counted, _ = copied(folder, "whole", settled=True)
    assert counted.bodies == 4
    assert bodies(path) == {b"delivered", b"failing", b"refused", b"waiting"}


async def test_it_tells_how_much_it_takes_before_it_takes_it(folder: Path) -> None:
    """By what goes along, not by what is kept: a year of settled events asks for no room, a night's backlog does."""
    async with opened(folder / EVENTS) as file:
        await put_and_plan(file, [arrival(number, b"x" * 100_000) for number in range(1, 11)])
        await settle_all(file)
    _, _, (little,) = copied(folder, "little")
    assert little < 1_000_000
    async with opened(folder / EVENTS) as file:
        await put_and_plan(file, [arrival(number, b"x" * 100_000) for number in range(11, 21)])
    path, _, (much,) = copied(folder, "much")
    assert little + 1_000_000 < much < little + 1_100_000
    assert path.stat().st_size + (path.parent / CONFIGURATION).stat().st_size < 1.2 * much

    def full(size: int) -> None:
        raise ProblemError(problem("backup_no_room", moment="", needed=str(size), free="0"))

    (folder.parent / "none").mkdir()
    with pytest.raises(ProblemError, match="No backup was made"):
        FILES.copy(folder, folder.parent / "none", settled=False, room=full)
    assert query(folder.parent / "none" / EVENTS, "SELECT count(*) FROM events") == [(0,)]


async def test_a_copy_is_of_one_moment_while_others_write(folder: Path) -> None:
    """The agent goes on putting; the copy opens like any events file, and its counters are right."""
    async with opened(folder / EVENTS) as file:
        for number in range(1, 40):
            await put_and_plan(file, [arrival(number)])
        writing = asyncio.create_task(keep_putting(file))
        path, counted, _ = await asyncio.to_thread(copied, folder, "copy")
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    with closing(sqlite3.connect(path)) as db:
        kept, found = both_counts(db)
        assert kept == found
    async with opened(path) as copy:
        assert len(await copy.inbox.take(limit=10_000)) + 39 == counted.waiting


async def keep_putting(file: EventsFile) -> None:
    """Events without end."""
    for number in range(100, 100_000):
        await file.inbox.put(arrival(number))


async def test_a_restored_file_holds_what_was_planned(folder: Path) -> None:
    """Nothing that was pending goes out by itself."""
    source = folder / EVENTS
    await prepared(source)
    hold_what_waits(source)
    assert query(source, "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state") == [
        ("delivered", 1),
        ("held", 1),
    ]
    with closing(sqlite3.connect(source)) as db:
        kept, found = both_counts(db)
        assert kept == found
    hold_what_waits(source)
    assert query(source, "SELECT count(*) FROM deliveries WHERE state = 'held'") == [(1,)]


async def test_a_damaged_copy_is_found(folder: Path) -> None:
    """What does not read from end to end is not put back."""
    async with opened(folder / EVENTS) as file:
        for number in range(1, 200):
            await file.inbox.put(arrival(number, b"x" * 3000))
    assert FILES.try_restore(folder, now=NOW).events == 199
    with (folder / EVENTS).open("r+b") as damaged:
        damaged.seek(100_000)
        damaged.write(b"\xff" * 60_000)
    with pytest.raises(ProblemError) as caught:
        FILES.try_restore(folder, now=NOW)
    assert caught.value.problems[0].code == "store_corrupt"


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Any SQLite file could be in a zip."""
    with closing(sqlite3.connect(tmp_path / CONFIGURATION)) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(ProblemError) as caught:
        FILES.try_restore(tmp_path, now=NOW)
    assert caught.value.problems[0].code == "store_foreign"


def bodies(path: Path) -> set[object]:
    """Every body in a file."""
    return {data for (data,) in query(path, "SELECT data FROM bodies")}


def both_counts(db: sqlite3.Connection) -> tuple[object, object]:
    """The counters as kept, and as they are counted anew."""
    return counted(db), recounted(db)

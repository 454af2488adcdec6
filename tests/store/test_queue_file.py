"""The queue's file: guarded as an events file is, in order over a crash, and given back to the disk."""

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from store.inbox import StoreUnavailable
from store.queue import Quota, QuotaReached
from store.sqlite.database import AiosqliteDatabase, Database, Open, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.queue_file import QueueFile
from tests.store.make import query
from tests.store.queue_kit import ACME, NOW, OTHER, ROOMY, SqlitePlace, fill, parcel, pulled, sqlite_place
from touchpoints.moment import DAY, HOUR
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio
T = TypeVar("T")


async def opened(path: Path, open_database: Open = AiosqliteDatabase.open) -> QueueFile:
    """The file as the process opens it."""
    return await QueueFile.open(path, open_database, now=NOW, new_id=lambda: "new")


async def test_a_damaged_file_is_moved_aside_and_begins_anew(tmp_path: Path, open_database: Open) -> None:
    """Nothing is accepted until a person starts empty, under another incarnation; nothing is deleted."""
    path = tmp_path / "queue.db"
    path.write_bytes(b"this was a queue once" * 1000)
    for _ in range(2):
        file = await opened(path, open_database)
        assert file.state == "corrupt"
        with pytest.raises(StoreUnavailable, match="store_corrupt"):
            await file.queue.put(parcel(1), ROOMY)
        with pytest.raises(StoreUnavailable, match="store_corrupt"):
            await file.queue.lease(ACME, "a", epoch=0, now=NOW)
        await file.close()
    file = await opened(path, open_database)
    await file.start_empty(now=NOW)
    await file.queue.put_key(ACME, "key", b"wrapped", now=NOW)
    await fill(file.queue, 1)
    assert (await file.queue.lease(ACME, "a", epoch=0, now=NOW)).incarnation == "new"
    assert (file.state, len(file.moved_aside())) == ("ready", 1)
    await file.close()


async def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """An agent's events file is left as it is."""
    path = tmp_path / "queue.db"
    await (await EventsFile.open(path, AiosqliteDatabase.open, now=NOW)).close()
    with pytest.raises(ProblemError) as caught:
        await opened(path)
    assert caught.value.problems[0].code == "store_foreign"


async def test_what_was_accepted_outlives_a_crash(tmp_path: Path) -> None:
    """A copy of the files as a crash would leave them has every event, every count and the lease."""
    async with sqlite_place(tmp_path) as place:
        await fill(place.queue, 5)
        await place.queue.lease(ACME, "a", epoch=0, now=NOW)
        await place.queue.acknowledge(ACME, "a", incarnation="incarnation-1", epoch=1, to=2, now=NOW, steady=NOW)
        crashed = tmp_path / "crashed"
        crashed.mkdir()
        for name in ("queue.db", "queue.db-wal"):
            shutil.copy(tmp_path / name, crashed / name)
    async with sqlite_place(crashed) as place:
        assert await pulled(place.queue) == [(3, 3), (4, 4), (5, 5)]
        lease = await place.queue.lease_of(ACME, now=NOW)
        assert (lease.agent, lease.epoch, lease.acknowledged) == ("a", 1, 2)


async def test_space_is_given_back(tmp_path: Path) -> None:
    """What expired leaves no hole in the file, and data keys that open nothing go with it."""
    async with sqlite_place(tmp_path) as place:
        await asyncio.gather(*[place.queue.put(parcel(number, b"x" * 100_000), ROOMY) for number in range(60)])
        await place.queue.put_key(ACME, "young", b"wrapped", now=NOW + 2 * DAY)
        await place.queue.expire(before=NOW + DAY, acknowledged_before=NOW + DAY, limit=7)
    assert place.path.stat().st_size < 500_000
    assert query(place.path, "SELECT key_id FROM keys ORDER BY key_id") == [("young",)]


async def test_ended_leases_do_not_pile_up(tmp_path: Path) -> None:
    """One row an agent, once what the others took is no longer kept."""
    async with sqlite_place(tmp_path) as place:
        await fill(place.queue, 90)
        for epoch in range(1, 61):
            agent = "abc"[epoch % 3]
            await place.queue.lease(ACME, agent, epoch=0, now=NOW)
            await place.queue.acknowledge(ACME, agent, incarnation="incarnation-1", epoch=epoch, to=epoch, now=NOW, steady=NOW)
            await place.queue.release(ACME, agent, epoch=epoch)
        await place.queue.expire(before=NOW, acknowledged_before=NOW, limit=7)
        assert query(place.path, "SELECT count(*) FROM epochs") == [(60,)]
        await place.queue.expire(before=NOW, acknowledged_before=NOW + DAY, limit=7)
        assert query(place.path, "SELECT epoch, agent, position FROM epochs") == [(58, "b", 58), (59, "c", 59), (60, "a", 60)]


async def test_no_query_reads_what_it_does_not_need(tmp_path: Path) -> None:
    """Every read by organisation goes over an index that begins with it."""
    async with sqlite_place(tmp_path) as place:
        await fill(place.queue, 1)
        plans = [
            "SELECT seq FROM messages WHERE organisation = 1 AND seq > 0 ORDER BY seq LIMIT 2",
            "SELECT count(*), sum(bytes) FROM messages WHERE organisation = 1 AND seq > 0 AND seq <= 9",
            "SELECT 1 FROM messages WHERE organisation = 1 AND id = 'x'",
            "SELECT position FROM epochs WHERE organisation = 1 AND epoch <= 3 ORDER BY epoch DESC LIMIT 1",
        ]
        for sql in plans:
            steps = [row[3] for row in query(place.path, f"EXPLAIN QUERY PLAN {sql}")]
            assert all("organisation=?" in step for step in steps), steps
            assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps


async def test_a_disk_that_is_nearly_full_takes_nothing(tmp_path: Path) -> None:
    """The process says so, and the sender is told why; agents still pull and acknowledge."""
    async with sqlite_place(tmp_path) as place:
        await fill(place.queue, 1)
        place.file.queue.unavailable = "disk_low"
        with pytest.raises(StoreUnavailable, match="disk_low"):
            await place.queue.put(parcel(2), ROOMY)
        assert await pulled(place.queue) == [(1, 1)]


class Trouble:
    """Fails the n-th work of the writer, before it has begun or after it was committed."""

    def __init__(self, nth: int, code: int, *, committed: bool) -> None:
        self.armed = self.struck = False
        self.left, self.code, self.committed = nth, code, committed

    async def open(self, opener: Opener) -> Database:
        database = await AiosqliteDatabase.open(opener)
        return Troubled(database, self) if opener.writer else database


class Troubled:
    """A writer's connection with trouble."""

    def __init__(self, database: Database, trouble: Trouble) -> None:
        self.database, self.trouble = database, trouble

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        trouble = self.trouble
        trouble.left -= trouble.armed
        if trouble.struck or trouble.left:
            return await self.database.run(work)
        trouble.struck = True
        if trouble.committed:
            await self.database.run(work)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = trouble.code
        raise error

    async def close(self) -> None:
        await self.database.close()


class Agent:
    """An ordinary agent: stores what it pulls, acknowledges, and runs what was accepted; asks again when nothing is known."""

    def __init__(self, name: str, place: SqlitePlace) -> None:
        self.name, self.place = name, place
        self.epoch = 0
        self.ran: list[int] = []

    async def turn(self, now: int) -> None:
        queue = self.place.queue
        lease = await insist(lambda: queue.lease(ACME, self.name, epoch=self.epoch, now=now))
        assert lease.agent == self.name
        self.epoch = lease.epoch
        found = await queue.pull(ACME, after=lease.acknowledged, limit=2, max_bytes=100)
        stored = [(message.seq, int(message.id)) for message in found.messages]
        if not stored:
            return
        answer = await insist(
            lambda: queue.acknowledge(
                ACME,
                self.name,
                incarnation=lease.incarnation,
                epoch=lease.epoch,
                to=stored[-1][0],
                now=now,
                steady=now,
            )
        )
        assert answer.known
        self.ran += [number for seq, number in stored if seq <= answer.position]

    async def stop(self) -> None:
        await insist(lambda: self.place.queue.release(ACME, self.name, epoch=self.epoch))


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Call until it is not unavailable."""
    while True:
        try:
            return await call()
        except StoreUnavailable:
            await asyncio.sleep(0)


@pytest.mark.parametrize("committed", [False, True], ids=["nothing stored", "stored, yet reported as failed"])
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL], ids=["io error", "full"])
async def test_whichever_commit_fails_nothing_is_lost_or_run_twice(tmp_path: Path, code: int, committed: bool) -> None:
    """The first, the second, the third … commit fails, until a run has fewer: two agents in turn run each event once."""
    struck = 0
    for nth in itertools.count(1):
        trouble = Trouble(nth, code, committed=committed)
        folder = tmp_path / str(nth)
        folder.mkdir()
        async with sqlite_place(folder, trouble.open) as place:
            trouble.armed = True
            agents = Agent("a", place), Agent("b", place)
            for number in range(1, 7):
                await insist(lambda number=number: place.queue.put(parcel(number), ROOMY))  # type: ignore[misc]
                agent = agents[number // 3 % 2]
                await agent.turn(NOW + number)
                if number % 3 == 2:
                    await agent.stop()
            await insist(lambda: place.queue.settled(ACME, "a", settled=2, unsettled=0, now=NOW + HOUR))
            assert sorted(agents[0].ran + agents[1].ran) == [1, 2, 3, 4, 5, 6]
            await insist(lambda: place.queue.expire(before=NOW, acknowledged_before=NOW + DAY, limit=4))
            assert (await place.queue.backlog(ACME)).events == 0
            assert place.file.state == "ready"
        if not trouble.struck:
            break
        struck += 1
    assert struck >= 10


async def test_a_quota_stays_exact_over_failures(tmp_path: Path) -> None:
    """A commit that failed counts for nothing; one that was stored and reported as failed counts once."""
    for committed, taken in ((False, 0), (True, 2)):
        trouble = Trouble(1, sqlite3.SQLITE_IOERR, committed=committed)
        folder = tmp_path / str(committed)
        folder.mkdir()
        async with sqlite_place(folder, trouble.open) as place:
            trouble.armed = True
            quota = Quota(events=2, bytes=1000)
            first = await asyncio.gather(*[place.queue.put(parcel(number), quota) for number in (1, 2)], return_exceptions=True)
            assert [type(result) for result in first] == [StoreUnavailable] * 2
            assert (await place.queue.backlog(ACME)).events == taken
            again = await asyncio.gather(
                *[place.queue.put(parcel(number), quota) for number in (1, 2, 3)], return_exceptions=True
            )
            assert [type(result) for result in again] == [type(None), type(None), QuotaReached]
            assert len(await pulled(place.queue)) == 2
            assert await pulled(place.queue, OTHER) == []

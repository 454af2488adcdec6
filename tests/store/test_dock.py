"""The dock: what is pulled runs once it is ours, vanishes when it is not, and nobody sees it meanwhile."""

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.dock import Berth, Landed
from store.inbox import StoreUnavailable
from store.log import Filter
from store.outbox import Plan
from store.settings import RetentionSettings
from store.sqlite import lacking
from store.sqlite import settled as settled_module
from store.sqlite.database import Database, InlineDatabase, Open, Opener
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, delivered, delivery, opened, put_and_plan, query, settle_all
from touchpoints.event import ArrivedBy, Verdict
from touchpoints.moment import DAY

pytestmark = pytest.mark.anyio

T = TypeVar("T")

PROXY = "1@abc"
WHERE = (PROXY, "first", 1)


def landed(*numbers: int, body: bytes = b"{}", **fields: object) -> list[Landed]:
    """Pulled events whose number at the proxy is the one in their id."""
    by = {"arrived_by": ArrivedBy.PROXY, **fields}
    return [Landed(seq=number, arrival=arrival(number, body, **by)) for number in numbers]


async def waiting(file: EventsFile) -> list[int]:
    """Numbers in the ids of what waits, as memory and file agree."""
    known = [int(one.event.id) for one in await file.inbox.take(limit=10_000)]
    file._recent.forget()
    assert known == [int(one.event.id) for one in await file.inbox.take(limit=10_000)]
    return known


async def test_a_docked_event_is_seen_by_nobody(file: EventsFile, path: Path) -> None:
    """Inbox, log, search, export, counts, actions and retention pass it by, however old it is; its body stays."""
    await file.dock.put(*WHERE, landed(1, 2, reference="1042"))
    assert await waiting(file) == []
    assert await file.inbox.waiting() == 0
    assert list(await file.log.events(Filter(tests=True), limit=9)) == []
    assert await file.log.timeline(arrival(1).event.id) is None
    assert list(await file.log.find("1042", limit=9)) == []
    assert (await file.log.scan(b"{", Filter())).found == ()
    assert list(await file.log.rows(Filter(), limit=9)) == []
    assert await file.log.last_events() == {}
    assert (await file.log.backlog()).inbox == 0
    assert list(await file.actions.replayable(Filter(), limit=9)) == []
    policy = RetentionSettings(bodies_days=1, log_days=1, refused_days=1, size=1)
    await file.retention.prune(policy, now=NOW + 1000 * DAY)
    assert query(path, "SELECT count(*) FROM docked_bodies") == [(2,)]
    assert await file.dock.release(*WHERE, to=2) == 2
    assert [one.event.id for one in await file.log.find("1042", limit=9)] == [arrival(n).event.id for n in (2, 1)]


async def test_released_events_wait_in_the_proxys_order_with_every_byte(file: EventsFile, path: Path) -> None:
    """Up to the position, exactly as put, once; the rest stays docked."""
    bodies = {1: b"one", 2: b"", 3: bytes(range(256)) * 9000, 4: b"four"}
    for number in (3, 1, 4, 2):
        await file.dock.put(*WHERE, landed(number, body=bodies[number], event_type="t", dedup_key="\ud800", hop=2))
    await file.inbox.take(limit=1)
    assert await file.dock.release(*WHERE, to=3) == 3
    assert await file.dock.release(*WHERE, to=3) == 0
    found = await file.inbox.take(limit=9)
    assert [one.event for one in found] == [
        landed(n, body=bodies[n], event_type="t", dedup_key="\\ud800", hop=2)[0].arrival.event for n in (1, 2, 3)
    ]
    assert [await file.log.body(one.event.id) for one in found] == [bodies[n] for n in (1, 2, 3)]
    (berth,) = await file.dock.berths()
    assert berth == Berth(proxy=PROXY, incarnation="first", epoch=1, stored=4, last_id=f"{4:026d}", waiting=1)
    assert query(path, "SELECT count(*) FROM docked_bodies") == [(1,)]
    assert await waiting(file) == [1, 2, 3]


async def test_a_dropped_event_leaves_no_trace(file: EventsFile, path: Path) -> None:
    """Not a row, not a count, not a byte of its body; that it was seen is remembered."""
    await file.dock.put(*WHERE, landed(1, 2, 3, body=b"x" * 3_000_000))
    await file.dock.release(*WHERE, to=1)
    assert await file.dock.drop(*WHERE) == 2
    assert await file.dock.drop(*WHERE) == 0
    assert await file.dock.release(*WHERE, to=9) == 0
    assert query(path, "SELECT (SELECT count(*) FROM docked), (SELECT count(*) FROM docked_bodies)") == [(0, 0)]
    assert await waiting(file) == [1]
    assert await file.dock.berths() == []
    assert (await file.dock.seen(PROXY, "first"), await file.dock.incarnation(PROXY)) == ((3, f"{3:026d}"), "first")
    await file.dock.put(PROXY, "first", 2, landed(2, 3))
    assert await file.dock.release(PROXY, "first", 2, to=3) == 2
    assert await waiting(file) == [1, 2, 3]


async def test_a_refused_event_is_kept_and_counted_and_never_waits(file: EventsFile) -> None:
    """As one that came to the listener; before its release it counts for nothing."""
    await file.dock.put(*WHERE, landed(1, verdict=Verdict.REFUSED, reason="signature_wrong"))
    assert (await file.log.backlog()).refused == 0
    await file.dock.release(*WHERE, to=1)
    assert await waiting(file) == []
    assert (await file.log.backlog()).refused == 1
    assert await file.log.refusals() == {(1, "signature_wrong"): 1}
    assert await file.log.body(arrival(1).event.id) == b"{}"
    assert await file.dock.settled(PROXY, "first") == (1, 0)


async def test_an_event_that_comes_again_moves_to_the_new_lease(file: EventsFile) -> None:
    """The old lease's release and drop then do nothing to it; one that was released already is left alone."""
    await file.dock.put(*WHERE, landed(1, 2))
    await file.dock.release(*WHERE, to=1)
    again = [Landed(seq=number + 100, arrival=arrival(number, b"other")) for number in (1, 2)]
    await file.dock.put(PROXY, "second", 2, again)
    (berth,) = await file.dock.berths()
    assert berth == Berth(proxy=PROXY, incarnation="second", epoch=2, stored=102, last_id=f"{2:026d}", waiting=1)
    assert await file.dock.release(*WHERE, to=2) == await file.dock.drop(*WHERE) == 0
    assert await file.dock.release(PROXY, "second", 2, to=102) == 1
    assert [await file.log.body(arrival(number).event.id) for number in (1, 2)] == [b"{}", b"other"]
    assert await file.dock.incarnation(PROXY) == "second"
    assert (await file.dock.seen(PROXY, "first"), await file.dock.seen(PROXY, "second")) == (
        (2, f"{2:026d}"),
        (102, f"{2:026d}"),
    )


async def test_an_event_that_is_twice_in_one_put_is_stored_once(file: EventsFile) -> None:
    """Whatever a proxy sends."""
    await file.dock.put(*WHERE, [*landed(1, 2), *landed(1)])
    assert await file.dock.release(*WHERE, to=2) == 2
    assert await waiting(file) == [1, 2]


async def test_proxies_are_apart(file: EventsFile) -> None:
    """Same incarnation, epoch and numbers at another proxy are others."""
    await file.dock.put("a", "x", 1, landed(1))
    await file.dock.put("b", "x", 1, [Landed(seq=1, arrival=arrival(2))])
    assert await file.dock.release("a", "x", 1, to=9) == 1
    assert await file.dock.drop("b", "x", 1) == 1
    assert await waiting(file) == [1]
    assert await file.dock.settled("c", "x") == (0, 0)
    assert (await file.dock.seen("c", "x"), await file.dock.incarnation("c")) == ((0, ""), "")


async def test_settled_goes_as_far_as_everything_is(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivered and dismissed is settled; what waits, is due, held or given up is not. Bit by bit it finds them all."""
    monkeypatch.setattr(settled_module, "LOOK", 2)
    await file.dock.put(*WHERE, landed(*range(1, 11)))
    await file.dock.release(*WHERE, to=9)
    assert await file.dock.settled(PROXY, "first") == (0, 9)
    for one in await file.inbox.take(limit=9):
        await file.outbox.plan([Plan(seq=one.seq, deliveries=(delivery(one.event),))])
    jobs = await file.outbox.claim(1, now=2**62, limit=9, max_bytes=10**9)
    await file.outbox.settle([delivered(job.seq) for job in jobs if int(job.event.id) not in (3, 7)])
    for _ in range(8):
        await file.dock.settled(PROXY, "first")
    assert await file.dock.settled(PROXY, "first") == (2, 2)
    await file.actions.give_up(Filter(ids=(arrival(3).event.id,)), now=NOW, dry_run=False)
    assert await file.dock.settled(PROXY, "first") == (2, 2)
    await file.actions.dismiss(Filter(ids=(arrival(3).event.id,)), now=NOW, dry_run=False)
    assert await file.dock.settled(PROXY, "first") == (6, 1)
    await settle_all(file)
    assert await file.dock.settled(PROXY, "first") == (9, 0)


async def test_numbers_are_never_given_twice(path: Path) -> None:
    """A direct event between put and release, and a restart, change nothing about the order of the inbox."""
    async with opened(path) as file:
        await put_and_plan(file, [arrival(50)])
        await file.dock.put(*WHERE, landed(1, 2))
        await file.inbox.put(arrival(51))
    async with opened(path) as file:
        (berth,) = await file.dock.berths()
        assert berth == Berth(proxy=PROXY, incarnation="first", epoch=1, stored=2, last_id=f"{2:026d}", waiting=2)
        await file.dock.release(*WHERE, to=2)
        assert await waiting(file) == [51, 1, 2]
        await settle_all(file)


async def test_lacking_events_outlive_the_retention_of_refused_ones(file: EventsFile) -> None:
    """What no touchpoint was there to verify is never dropped by age or size; others are."""
    await file.dock.put(*WHERE, landed(1, verdict=Verdict.REFUSED, reason="touchpoint_lacking", touchpoint=7))
    await file.dock.put(*WHERE, landed(2, verdict=Verdict.REFUSED, reason="signature_wrong", touchpoint=7))
    await file.dock.release(*WHERE, to=2)
    await file.retention.prune(RetentionSettings(refused_days=1, refused_size=0), now=NOW + 100 * DAY)
    assert await file.log.body(arrival(1).event.id) == b"{}"
    assert await file.log.body(arrival(2).event.id) is None
    assert await file.dock.lacking() == {7: 1}


async def test_lacking_events_are_adopted_with_their_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only these, in slices, dismissed and pruned ones too; again it changes nothing."""
    monkeypatch.setattr(lacking, "SLICE", 2)
    async with opened(path) as file:
        lost = landed(1, 2, 3, 4, 5, verdict=Verdict.REFUSED, reason="touchpoint_lacking", touchpoint=7)
        await file.dock.put(*WHERE, lost)
        await file.dock.put(*WHERE, landed(6, verdict=Verdict.REFUSED, reason="signature_wrong", touchpoint=7))
        await file.dock.put(*WHERE, landed(7, verdict=Verdict.REFUSED, reason="touchpoint_lacking", touchpoint=8))
        await file.dock.put(*WHERE, landed(8, verdict=Verdict.REFUSED, reason="touchpoint_lacking", touchpoint=3))
        await file.dock.release(*WHERE, to=8)
        dismissed = await file.actions.dismiss(Filter(ids=(lost[0].arrival.event.id,)), now=NOW, dry_run=False)
        assert dismissed.changed == 1
        assert await file.dock.adopt(7, 3) == 5
        assert await file.dock.lacking() == {3: 6, 8: 1}
        counted = dict(query(path, "SELECT whose, n FROM counters WHERE state = 'refused'"))
        assert counted == {3: 5, 7: 1, 8: 1}
        reasons = await file.log.refusals()
        assert reasons == {(3, "touchpoint_lacking"): 6, (7, "signature_wrong"): 1, (8, "touchpoint_lacking"): 1}
        assert await file.dock.adopt(7, 3) == 0
        assert await file.dock.adopt(3, 3) == 0
        assert await file.dock.lacking() == {3: 6, 8: 1}


class Model:
    """The dock in a few dicts."""

    def __init__(self) -> None:
        self.docked: dict[int, tuple[str, int, int]] = {}  # id -> incarnation, epoch, number
        self.out: list[int] = []

    def put(self, incarnation: str, epoch: int, numbers: list[int]) -> None:
        for number in numbers:
            if number not in self.out:
                self.docked[number] = (incarnation, epoch, number)

    def release(self, incarnation: str, epoch: int, to: int) -> int:
        mine = sorted(one for one, place in self.docked.items() if place[:2] == (incarnation, epoch) and place[2] <= to)
        self.out += mine
        for one in mine:
            del self.docked[one]
        return len(mine)

    def drop(self, incarnation: str, epoch: int) -> int:
        mine = [one for one, place in self.docked.items() if place[:2] == (incarnation, epoch)]
        for one in mine:
            del self.docked[one]
        return len(mine)

    def berths(self) -> dict[tuple[str, int], tuple[int, int]]:
        found: dict[tuple[str, int], list[int]] = {}
        for incarnation, epoch, number in self.docked.values():
            found.setdefault((incarnation, epoch), []).append(number)
        return {where: (max(numbers), len(numbers)) for where, numbers in found.items()}


places = st.tuples(st.sampled_from("ab"), st.integers(1, 3))
steps = st.one_of(
    st.tuples(st.just("put"), places, st.lists(st.integers(1, 12), min_size=1, max_size=5, unique=True)),
    st.tuples(st.just("release"), places, st.integers(0, 12)),
    st.tuples(st.just("drop"), places, st.none()),
    st.tuples(st.just("restart"), places, st.none()),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(steps, max_size=20))
def test_it_does_what_the_model_does(
    tmp_path_factory: pytest.TempPathFactory, open_database: Open, script: list[tuple[str, tuple[str, int], object]]
) -> None:
    """Whatever is put, released and dropped in whatever order, with restarts in between, in both forms of a database."""
    asyncio.run(_play(tmp_path_factory.mktemp("dock") / "events.db", open_database, script))


async def _play(path: Path, open_database: Open, script: list[tuple[str, tuple[str, int], object]]) -> None:
    model = Model()
    parts = [list(part) for restart, part in itertools.groupby(script, lambda step: step[0] == "restart") if not restart] or [
        []
    ]
    for part in parts:
        async with opened(path, open_database) as file:
            for name, (incarnation, epoch), value in part:
                if isinstance(value, list):
                    await file.dock.put(PROXY, incarnation, epoch, landed(*value))
                    model.put(incarnation, epoch, value)
                elif name == "release":
                    assert isinstance(value, int)
                    assert await file.dock.release(PROXY, incarnation, epoch, to=value) == model.release(
                        incarnation, epoch, value
                    )
                else:
                    assert await file.dock.drop(PROXY, incarnation, epoch) == model.drop(incarnation, epoch)
            assert await waiting(file) == model.out
            berths = {(one.incarnation, one.epoch): (one.stored, one.waiting) for one in await file.dock.berths()}
            assert berths == model.berths()


class Trouble:
    """The n-th work of the writer fails: before it began, or after it was committed."""

    def __init__(self, nth: int, *, committed: bool) -> None:
        self.left, self.committed = nth, committed
        self.struck = self.armed = False

    async def open(self, opener: Opener) -> Database:
        database = await InlineDatabase.open(opener)
        if opener.writer:
            inner = database.run

            async def run(work: Callable[[sqlite3.Connection], T]) -> T:
                return await self.strike(inner, work)

            database.run = run  # type: ignore[method-assign]  # so that it fails
        return database

    async def strike(
        self,
        inner: Callable[[Callable[[sqlite3.Connection], T]], Awaitable[T]],
        work: Callable[[sqlite3.Connection], T],
    ) -> T:
        self.left -= self.armed
        if self.struck or self.left:
            return await inner(work)
        self.struck = True
        if self.committed:
            await inner(work)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


async def _again(work: Callable[[], Awaitable[object]]) -> None:
    """As the pull does it: what could not be committed is done again."""
    while True:
        try:
            await work()
        except StoreUnavailable:
            continue
        return


@pytest.mark.parametrize("committed", [False, True], ids=["nothing stored", "stored, yet reported as failed"])
async def test_whichever_commit_fails_the_outcome_is_the_same(tmp_path: Path, *, committed: bool) -> None:
    """The first, the second … commit fails, until a run has fewer."""
    struck = 0
    for nth in itertools.count(1):
        trouble = Trouble(nth, committed=committed)
        async with opened(tmp_path / f"{nth}.db", trouble.open) as file:
            trouble.armed = True
            await _again(lambda file=file: file.dock.put(*WHERE, landed(1, 2, 3)))  # type: ignore[misc]  # bound now
            await _again(lambda file=file: file.dock.release(*WHERE, to=2))  # type: ignore[misc]  # bound now
            await _again(lambda file=file: file.dock.drop(*WHERE))  # type: ignore[misc]  # bound now
            await _again(lambda file=file: file.dock.put(PROXY, "first", 2, landed(3, 4)))  # type: ignore[misc]  # bound now
            await _again(lambda file=file: file.dock.release(PROXY, "first", 2, to=4))  # type: ignore[misc]  # bound now
            trouble.armed = False
            assert await waiting(file) == [1, 2, 3, 4]
            assert await file.dock.berths() == []
        if not trouble.struck:
            break
        struck += 1
    assert struck == 5

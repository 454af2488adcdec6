"""The queue beside a model of it: whatever is done in whatever order, both say the same; no organisation touches another."""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from store.queue import LEASE, Quota, QuotaReached
from store.sqlite.database import AiosqliteDatabase, InlineDatabase, Open
from tests.store.queue_kit import NOW, SqlitePlace, kept, parcel, sqlite_place
from tests.store.queue_model import LEAP, ModelLane
from touchpoints.moment import HOUR, MINUTE, SECOND
from touchpoints.problem import ProblemError

T = TypeVar("T")

ORGANISATIONS = st.sampled_from((1, 2))
AGENTS = st.sampled_from(("a", "b", "c"))
NUMBERS = st.integers(1, 12)
RARELY = st.integers(0, 3).map(lambda n: n == 3)  # what undoes most of a story
STEPS = st.sampled_from((0, SECOND, 30 * SECOND, 61 * SECOND, 20 * MINUTE, HOUR, 5 * HOUR))


class QueueMachine(RuleBasedStateMachine):
    """A queue of two organisations. What a put of the other organisation leaves in the model it must leave in the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.context: AbstractAsyncContextManager[SqlitePlace] = sqlite_place(Path(self.folder.name), self.form)
        self.place = self.run(self.context.__aenter__())
        self.lanes = {1: ModelLane(), 2: ModelLane()}
        self.restores = 0
        self.now = NOW

    @property
    def form(self) -> Open:
        """How its database is opened: here in the loop, as a simulation does."""
        return InlineDatabase.open

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.context.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @rule(organisation=ORGANISATIONS, numbers=st.lists(NUMBERS, min_size=1, max_size=6), most=st.integers(0, 8))
    def put_together(self, organisation: int, numbers: list[int], most: int) -> None:
        async def put_all() -> list[BaseException | None]:
            quota = Quota(events=most, bytes=10**9)
            puts = [
                self.place.queue.put(parcel(n, b"x" * n, organisation=organisation, received_at=self.now), quota)
                for n in numbers
            ]
            return await asyncio.gather(*puts, return_exceptions=True)

        results = self.run(put_all())
        lane = self.lanes[organisation]
        stored = [lane.put(f"{n:026d}", n, self.now, most) for n in numbers]
        assert [not isinstance(result, QuotaReached) for result in results] == stored
        assert all(result is None or isinstance(result, QuotaReached) for result in results)

    @rule(organisation=ORGANISATIONS, agent=AGENTS, own=st.booleans())
    def lease(self, organisation: int, agent: str, own: bool) -> None:
        lane = self.lanes[organisation]
        epoch = lane.epoch if own else 0
        found = self.run(self.place.queue.lease(organisation, agent, epoch=epoch, now=self.now))
        lane.lease(agent, epoch, self.now)
        assert lane.until is not None
        assert (found.agent, found.epoch, found.acknowledged) == (lane.agent, lane.epoch, lane.position)
        assert found.seconds * SECOND == lane.until - self.now
        assert (found.incarnation, found.gap) == (lane.incarnation, lane.gap)

    @rule(organisation=ORGANISATIONS, agent=AGENTS, back=st.integers(0, 2))
    def release(self, organisation: int, agent: str, back: int) -> None:
        lane = self.lanes[organisation]
        self.run(self.place.queue.release(organisation, agent, epoch=lane.epoch - back))
        if (agent, back) == (lane.agent, 0):
            lane.end()

    @rule(organisation=ORGANISATIONS, numbers=st.lists(NUMBERS, min_size=1, max_size=4), to=st.integers(1, 5))
    def work(self, organisation: int, numbers: list[int], to: int) -> None:
        """What happens most: events come, and the holder, or else somebody, acknowledges some."""
        self.put_together(organisation, numbers, 20)
        lane = self.lanes[organisation]
        if not lane.agent:
            self.lease(organisation, "a", own=False)
        self.acknowledge(organisation, lane.agent, 0, to, older=False)

    @rule(organisation=ORGANISATIONS, agent=AGENTS, back=st.integers(-1, 4), to=st.integers(0, 30), older=st.booleans())
    def acknowledge(self, organisation: int, agent: str, back: int, to: int, older: bool) -> None:
        lane = self.lanes[organisation]
        epoch, incarnation = lane.epoch - back, min(lane.older, default="lost") if older else lane.incarnation
        found = self.run(
            self.place.queue.acknowledge(
                organisation,
                agent,
                incarnation=incarnation,
                epoch=epoch,
                to=lane.position + to,
                now=self.now,
                steady=self.now,
            )
        )
        holds = (agent, epoch, incarnation) == (lane.agent, lane.epoch, lane.incarnation)
        assert found.accepted == holds
        if holds:
            lane.move(lane.position + to, self.now)
            lane.until = self.now + LEASE
            assert found.position == lane.position
        elif (
            epoch > lane.epoch
            or incarnation not in {*lane.older, lane.incarnation}
            or lane.position + to >= lane.older.get(incarnation, lane.next_seq)  # never given here
        ):
            assert not found.known
        elif (final := lane.final(epoch)) is not None:
            assert found.known
            assert found.position <= final if epoch in lane.forgotten else found.position == final
        elif epoch > 0:  # lost with a restore, or erased
            assert not found.known

    @rule(organisation=ORGANISATIONS, agent=AGENTS, back=st.integers(0, 6))
    def settled(self, organisation: int, agent: str, back: int) -> None:
        lane = self.lanes[organisation]
        settled = max(0, lane.position - back)
        self.run(self.place.queue.settled(organisation, agent, settled=settled, unsettled=10**6, now=self.now))
        lane.settled[agent] = settled

    @rule(organisation=ORGANISATIONS, agent=AGENTS)
    def take_over(self, organisation: int, agent: str) -> None:
        lane = self.lanes[organisation]
        lane.look(self.now)
        assert lane.until is not None
        try:
            count = self.run(self.place.queue.take_over(organisation, agent, now=self.now, steady=self.now))
        except ProblemError:
            assert lane.agent == agent
            assert lane.until > self.now
        else:
            if lane.agent == agent:
                assert lane.until <= self.now
                lane.end()
            assert count == lane.again(lane.unsettled(agent), self.now)

    @rule(organisation=ORGANISATIONS, back=st.integers(0, 10))
    def seek(self, organisation: int, back: int) -> None:
        lane = self.lanes[organisation]
        to = lane.position - back
        count = self.run(self.place.queue.seek(organisation, to=to, now=self.now))
        assert count == lane.again([m for m in lane.messages if to < m.seq <= lane.position], self.now)

    @rule(waited=STEPS, kept=STEPS)
    def expire(self, waited: int, kept: int) -> None:
        late = self.run(self.place.queue.expire(before=self.now - waited, acknowledged_before=self.now - kept, limit=2))
        gone = {number: lane.expire(self.now - waited, self.now - kept) for number, lane in self.lanes.items()}
        assert late == {number: count for number, count in gone.items() if count}
        for organisation in self.lanes:
            self.run(self.place.queue.put_key(organisation, "key", b"wrapped", now=self.now))

    @rule(step=STEPS)
    def wait(self, step: int) -> None:
        self.now += step

    @rule()
    def reopen(self) -> None:
        self.run(self.place.reopen())
        for lane in self.lanes.values():
            lane.until = None

    @rule(organisation=ORGANISATIONS, ahead=st.integers(-5, 40))
    def restore(self, organisation: int, ahead: int) -> None:
        self.restores += 1
        lane = self.lanes[organisation]
        beyond = lane.next_seq + ahead
        self.run(self.place.queue.reincarnate(organisation, f"restored {self.restores}", beyond=beyond, now=self.now))
        lane.restore(f"restored {self.restores}", beyond + 1, self.now)

    @rule(chance=RARELY)
    def restore_all(self, chance: bool) -> None:
        if not chance:
            return
        for number, lane in self.lanes.items():  # so that both exist: one that does not would begin later
            self.run(self.place.queue.lease(number, "z", epoch=0, now=self.now))
            lane.lease("z", 0, self.now)
        self.restores += 1
        names = [f"restored {self.restores} {number}" for number in (1, 2, "later")]
        given = iter(names)
        self.run(self.place.queue.reincarnate_all(lambda: next(given), now=self.now))
        for lane, name in zip(self.lanes.values(), names, strict=False):
            lane.restore(name, lane.next_seq + LEAP, self.now)

    @rule(organisation=ORGANISATIONS, chance=RARELY)
    def erase(self, organisation: int, chance: bool) -> None:
        if not chance:
            return
        self.run(self.place.queue.erase(organisation))
        self.run(self.place.queue.put_key(organisation, "key", b"wrapped", now=self.now))
        self.lanes[organisation].erase()

    @invariant()
    def agree(self) -> None:
        for organisation, lane in self.lanes.items():
            found = self.run(self.place.queue.pull(organisation, after=0, limit=1000, max_bytes=2**40))
            waiting = lane.waiting()
            assert [(m.seq, m.id, len(m.data)) for m in found.messages] == [(m.seq, m.id, m.size) for m in waiting]
            backlog = self.run(self.place.queue.backlog(organisation))
            assert (backlog.events, backlog.bytes) == (len(waiting), sum(m.size for m in waiting))
            assert self.run(kept(self.place.queue, organisation)) == [(m.seq, m.id) for m in lane.messages]
            unsettled = {one.agent: one.events for one in self.run(self.place.queue.unsettled(organisation))}
            expected = {agent: len(lane.unsettled(agent)) for agent in ("a", "b", "c", "z")}
            assert unsettled == {agent: count for agent, count in expected.items() if count}


class ThreadedQueueMachine(QueueMachine):
    """SQLite in threads, as the program does."""

    @property
    def form(self) -> Open:
        return AiosqliteDatabase.open


TestThreadedQueueMachine = ThreadedQueueMachine.TestCase
TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestThreadedQueueMachine.settings = settings(TestQueueMachine.settings, max_examples=8)

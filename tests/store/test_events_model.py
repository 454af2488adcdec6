"""Inbox, outbox, log and actions beside a model of them: whatever is done in whatever order, both say the same."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.log import Filter
from store.outbox import Item, Plan
from store.settings import RetentionSettings
from store.sqlite.database import AiosqliteDatabase, InlineDatabase, Open
from store.sqlite.events_file import EventsFile
from tests.store.events_model import MOVES, Model, Sent, Way, item_number
from tests.store.make import NOW, arrival, delivered, delivery, event, failed, opened
from touchpoints.delivery import DeliveryState, Job
from touchpoints.event import Verdict
from touchpoints.moment import DAY, SECOND
from touchpoints.plan import Planned
from touchpoints.problem import ProblemError

T = TypeVar("T")

NUMBERS = st.integers(1, 9)
DESTINATIONS = st.sampled_from((1, 2))
KEYS = st.sampled_from((None, "x", "y", "z"))
WHOLE = st.builds(Way, destinations=st.sampled_from(((), (1,), (1, 2))), key=KEYS)
FILTERED_HAS_NO_KEY = WHOLE.map(lambda way: way if way.destinations else Way())
WAYS = st.one_of(FILTERED_HAS_NO_KEY, st.lists(FILTERED_HAS_NO_KEY, max_size=3).map(lambda ways: Way(items=tuple(ways))))
EVERYTHING = RetentionSettings(bodies_days=0, refused_days=0, log_days=36_500)


def body_of(number: int) -> bytes:
    """A body that tells its event."""
    return b"body of %d" % number


class EventsMachine(RuleBasedStateMachine):
    """An events file. After each step every event is in one place, with its bytes, as the model says."""

    @property
    def form(self) -> Open:
        """How its database is opened."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.planned: list[Plan] = []
        self.claimed: list[tuple[Job, Sent]] = []
        self.open()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def open(self) -> None:
        path = Path(self.folder.name) / "events.db"
        self.context: AbstractAsyncContextManager[EventsFile] = opened(path, self.form)
        self.file = self.run(self.context.__aenter__())

    def teardown(self) -> None:
        self.run(self.context.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=5), refused=st.integers(0, 3).map(lambda n: n == 3))
    def put(self, numbers: list[int], refused: bool) -> None:
        fields: dict[str, Any] = {"verdict": Verdict.REFUSED, "reason": "signature_wrong"} if refused else {}

        async def put_all() -> None:
            await asyncio.gather(*(self.file.inbox.put(arrival(n, body_of(n), **fields)) for n in numbers))

        self.run(put_all())
        for number in numbers:
            self.model.put(number, refused=refused)

    @rule(ways=st.lists(WAYS, min_size=1, max_size=4))
    def plan(self, ways: list[Way]) -> None:
        waiting = self.run(self.file.inbox.take(limit=len(ways)))
        self.planned = [_plan(one.seq, int(one.event.id), way) for one, way in zip(waiting, ways, strict=False)]
        self.run(self.file.outbox.plan(self.planned))
        for one, way in zip(waiting, ways, strict=False):
            self.model.plan(int(one.event.id), way)

    @initialize(numbers=st.lists(NUMBERS, min_size=3, max_size=5, unique=True), ways=st.lists(WAYS, min_size=4, max_size=4))
    def begin(self, numbers: list[int], ways: list[Way]) -> None:
        self.work(numbers, ways)

    @rule(numbers=st.lists(NUMBERS, min_size=2, max_size=5), ways=st.lists(WAYS, min_size=4, max_size=4))
    def work(self, numbers: list[int], ways: list[Way]) -> None:
        """What happens most: events come, and are planned."""
        self.put(numbers, refused=False)
        self.plan(ways)

    @rule()
    def plan_once_more(self) -> None:
        """A repeat, as after an outcome that was not known."""
        self.run(self.file.outbox.plan(self.planned))

    @rule(destination=DESTINATIONS, limit=st.integers(1, 4))
    def claim(self, destination: int, limit: int) -> None:
        jobs = self.run(self.file.outbox.claim(destination, now=2**62, limit=limit, max_bytes=2**30))
        due = self.model.due(destination)[:limit]
        assert [(int(job.event.id), job.delivery.run) for job in jobs] == [(one.event, one.run) for one in due]
        assert [job.body for job in jobs] == [body_of(one.event) for one in due]
        self.claimed += zip(jobs, due, strict=True)

    @rule(state=st.sampled_from((DeliveryState.DELIVERED, DeliveryState.PENDING, DeliveryState.GIVEN_UP)))
    def settle(self, state: DeliveryState) -> None:
        """What was claimed, perhaps twice, or moved by a person meanwhile."""
        settlements = []
        for job, sent in self.claimed:
            number = job.delivery.attempts + 1
            arrived = state is DeliveryState.DELIVERED
            due = NOW + 5 * SECOND if state is DeliveryState.PENDING else 0
            settlements.append(delivered(job.seq, number) if arrived else failed(job.seq, number, state=state, due_at=due))
            self.model.settle(sent, number, state.value, due)
        self.run(self.file.outbox.settle(settlements))
        self.claimed.clear()

    @rule(action=st.sampled_from(tuple(MOVES)), number=st.none() | NUMBERS)
    def act(self, action: str, number: int | None) -> None:
        """On one event, or on all."""
        which = Filter() if number is None else Filter(ids=(event(number).id,))
        numbers = list(self.model.events) if number is None else [one for one in (number,) if one in self.model.events]
        do = getattr(self.file.actions, action)
        tried = self.run(do(which, now=NOW, dry_run=True))
        done = self.run(do(which, now=NOW, dry_run=False))
        assert tried.changed == done.changed == self.model.act(action, numbers, NOW)

    @rule(data=st.data())
    def run_again(self, data: st.DataObject) -> None:
        one = self.model.events[data.draw(st.sampled_from(sorted(self.model.events)))]
        found = self.run(self.file.actions.replayable(Filter(ids=(event(one.number).id,)), limit=9))
        assert [int(known.id) for _, known, _ in found] == ([one.number] if self.model.replayable(one.number) else [])
        for seq, known, old in found:
            run = max((before.run for before in old), default=0) + 1
            for _ in range(2):
                self.run(self.file.actions.add_run(seq, [_delivery(known.id, 1, run)]))
            self.model.send(one, (1,), run)

    @rule()
    def verify_again(self) -> None:
        """The first refused event, twice."""
        number = next((one.number for one in self.model.events.values() if one.verdict == "refused"), 0)
        for _ in range(2 if number else 0):
            (listed,) = self.run(self.file.log.events(Filter(ids=(event(number).id,)), limit=1))
            stored = self.model.accept(number)
            try:
                self.run(self.file.actions.accept(listed.seq, event(number, body_of(number))))
            except ProblemError:
                assert not stored
            else:
                assert stored

    @rule(chance=st.booleans())
    def prune(self, chance: bool) -> None:
        if chance:
            self.run(self.file.retention.prune(EVERYTHING, now=NOW + 1000 * DAY))
            self.model.prune()

    @rule(chance=st.integers(0, 2))
    def reopen(self, chance: int) -> None:
        if chance == 0:
            self.run(self.context.__aexit__(None, None, None))
            self.open()

    @invariant()
    def agree(self) -> None:
        self.run(self._agree())

    async def _agree(self) -> None:
        known = [int(one.event.id) for one in await self.file.inbox.take(limit=100)]
        self.file._recent.forget()
        assert known == [int(one.event.id) for one in await self.file.inbox.take(limit=100)] == self.model.waiting
        listed = {int(one.event.id): one for one in await self.file.log.events(Filter(), limit=1000)}
        assert list(reversed(listed)) == list(self.model.events)
        for number, one in self.model.events.items():
            found = listed[number]
            assert (found.event.verdict.value, found.waiting) == (one.verdict, one.waiting), number
            assert (_number(found.duplicate_of), _number(found.item_of)) == (one.duplicate_of, one.item_of)
            assert ("dismissed" in found.flags) == one.dismissed
            sent = [(each.destination, each.run, each.state.value, each.attempts, each.tries) for each in found.deliveries]
            assert sent == [(each.destination, each.run, each.state, each.attempts, each.tries) for each in one.sent]
            assert await self.file.log.body(found.event.id) == (body_of(number) if one.stored else None)
            assert one.stored or one.settled or one.verdict == "refused", "something unsettled was pruned"
        backlog = await self.file.log.backlog()
        counted = {"inbox": backlog.inbox, "pending": backlog.outbox, "held": backlog.held, "given_up": backlog.given_up}
        assert +Counter({**counted, "refused": backlog.refused}) == self.model.counts()


def _number(event_id: str | None) -> int | None:
    return None if event_id is None else int(event_id)


def _delivery(event_id: str, destination: int, run: int) -> Any:
    return delivery(event(int(event_id)), destination, run=run, due_at=0)


def _planned(number: int, way: Way) -> Planned:
    deliveries = tuple(_delivery(event(number).id, destination, 1) for destination in way.destinations)
    return Planned(deliveries=deliveries, filtered=not deliveries, dedup_key=way.key)


def _plan(seq: int, number: int, way: Way) -> Plan:
    if way.items is None:
        made = _planned(number, way)
        return Plan(seq=seq, deliveries=made.deliveries, filtered=made.filtered, dedup_key=made.dedup_key)
    items = [(item_number(number, at), inner) for at, inner in enumerate(way.items)]
    return Plan(
        seq=seq, items=tuple(Item(arrival=arrival(one, body_of(one)), planned=_planned(one, inner)) for one, inner in items)
    )


class InlineMachine(EventsMachine):
    """SQLite called in the loop, as the simulation does."""

    @property
    def form(self) -> Open:
        return InlineDatabase.open


class ThreadedMachine(EventsMachine):
    """SQLite in threads, as the program does."""

    @property
    def form(self) -> Open:
        return AiosqliteDatabase.open


TestInline = InlineMachine.TestCase
TestThreaded = ThreadedMachine.TestCase
TestInline.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestThreaded.settings = settings(TestInline.settings, max_examples=8)

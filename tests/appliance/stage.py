"""What the hops' tests share: a clock that can jump, a scripted destination, and the hops over a real events file."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.clock import Clock
from appliance.hops.drain import Drain
from appliance.hops.lanes import Lanes
from appliance.tasks import Tasks
from store.log import Filter, Timeline
from store.sqlite.database import AiosqliteDatabase, Open
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, opened
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Parcel
from touchpoints.moment import SECOND, Micros
from touchpoints.touchpoint import Destination, HttpDestination, Retry, Touchpoint, Verification
from web.listener.budget import Budget

UNSIGNED = Verification(scheme="none", allow_unsigned=True)
UNREACHABLE = Failed(blame=Blame.DESTINATION, code="no_connection", error="It cannot be reached.")
BROKEN = Failed(blame=Blame.EVENT, code="http_status", error="It answered 500.", http_status=500)


class FakeClock(Clock):
    """Wall time that stands still, jumps when told, or runs with real time from where it was put."""

    def __init__(self, now: Micros = NOW + SECOND, *, running: bool = False) -> None:
        self.wall = now
        self._running = running
        self._began = super().steady()

    def now(self) -> Micros:
        return self.wall + (self.steady() - self._began if self._running else 0)

    def forward(self, span: Micros) -> None:
        self.wall += span


@dataclass
class ScriptedSender:
    """A destination that answers by a script, and by `usual` when the script has ended."""

    usual: Outcome = field(default_factory=lambda: Delivered(http_status=200))
    script: list[Outcome] = field(default_factory=list)
    gate: asyncio.Event | None = None  # attempts wait for it
    pause: float = 0.0
    jobs: list[Job] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    closed: bool = False

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:
        assert not self.closed, "a closed sender was used"
        assert touchpoint
        self.jobs.append(job)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(self.pause)
            assert not self.closed, "closed while in use"
            return self.script.pop(0) if self.script else self.usual
        finally:
            self.under_way -= 1

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:
        return Parcel(target=touchpoint, method="POST", headers=(), body=job.body)

    async def aclose(self) -> None:
        self.closed = True

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def ids(self) -> list[str]:
        return [job.delivery.id for job in self.jobs]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events sent, in order."""
        return [int(job.event.id) for job in self.jobs]


def destination(number: int = 1, **fields: Any) -> HttpDestination:
    values: dict[str, Any] = {"id": number, "name": f"destination {number}", "url": "http://127.0.0.1:1/", "concurrency": 4}
    return HttpDestination(**(values | fields))


def touchpoint(number: int = 1, destinations: Sequence[Destination] | None = None, **fields: Any) -> Touchpoint:
    values: dict[str, Any] = {
        "id": number,
        "name": f"touchpoint-{number}",
        "verification": UNSIGNED,
        "retry": Retry(spread=0.0),
        "destinations": (destination(number),) if destinations is None else tuple(destinations),
    }
    return Touchpoint(**(values | fields))


class Stage:
    """Drain and lanes over one events file."""

    def __init__(self, file: EventsFile, clock: FakeClock, touchpoints: Sequence[Touchpoint]) -> None:
        self.file = file
        self.clock = clock
        self.tasks = Tasks()
        self.budget = Budget(64 * 1024 * 1024)
        self.senders: dict[int, ScriptedSender] = {}
        self.opened: list[ScriptedSender] = []
        self.touchpoints = {one.id: one for one in touchpoints}
        self.lanes = Lanes(
            outbox=file.outbox,
            budget=self.budget,
            clock=clock,
            jitter=lambda: 0.0,
            open_sender=self._open,
            tasks=self.tasks,
        )
        self.drain = Drain(
            inbox=file.inbox,
            outbox=file.outbox,
            touchpoints=lambda: self.touchpoints,
            now=clock.now,
            planned=self.lanes.wake,
        )

    def sender(self, number: int = 1) -> ScriptedSender:
        """The sender that the destination is opened with."""
        return self.senders.setdefault(number, ScriptedSender())

    def _open(self, wanted: Destination) -> ScriptedSender:
        sender = self.sender(wanted.id)
        if sender.closed or sender in self.opened:
            sender = self.senders[wanted.id] = ScriptedSender()
        self.opened.append(sender)
        return sender

    async def start(self) -> None:
        await self.lanes.recall()
        await self.lanes.follow(self.touchpoints.values())
        self.tasks.spawn(self.drain.run(), name="drain")

    async def follow(self, *touchpoints: Touchpoint) -> None:
        self.touchpoints = {one.id: one for one in touchpoints}
        await self.lanes.follow(touchpoints)
        self.drain.restart()

    async def put(self, *numbers: int, body: bytes = b"{}", **fields: Any) -> None:
        for number in numbers:
            await self.file.inbox.put(arrival(number, body, **fields))
        self.drain.pace.wake()

    def forward(self, span: Micros) -> None:
        """Let time go by, at once."""
        self.clock.forward(span)
        self.lanes.wake()

    async def stop(self, *, grace: float = 0.0) -> None:
        await self.tasks.end("drain")
        await self.lanes.close(grace=grace)
        await self.tasks.end()

    async def settled(self) -> None:
        """Wait until nothing waits anywhere."""
        await until_async(self._nothing_waits)

    async def _nothing_waits(self) -> bool:
        backlog = await self.file.log.backlog()
        return backlog.inbox == 0 and backlog.outbox == 0

    async def states(self) -> dict[int, str]:
        """Each event's first delivery state, or its verdict where it has none."""
        listed = await self.file.log.events(Filter(tests=True), limit=1000)
        return {
            int(one.event.id): (one.deliveries[0].state.value if one.deliveries else one.event.verdict.value) for one in listed
        }

    async def timeline(self, number: int) -> Timeline:
        found = await self.file.log.timeline(f"{number:026d}")
        assert found is not None
        return found

    @property
    def alive(self) -> set[str]:
        return {task.get_name() for task in self.tasks._running}


@asynccontextmanager
async def stage(
    folder: Path,
    *touchpoints: Touchpoint,
    clock: FakeClock | None = None,
    start: bool = True,
    open_database: Open = AiosqliteDatabase.open,
) -> AsyncIterator[Stage]:
    """The hops, started; afterwards every task still lives, and every byte of the budget and every sender is given back."""
    async with opened(folder / "events.db", open_database) as file:
        made = Stage(file, clock or FakeClock(), touchpoints or (touchpoint(),))
        if start:
            await made.start()
        try:
            yield made
            if start:
                assert made.alive == {"drain", *(f"lane-{number}" for number in made.lanes.health())}
        finally:
            await made.stop()
        assert made.budget.used == 0
        assert all(sender.closed for sender in made.opened)


async def until(true: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.003)


async def until_async(true: Callable[[], Any], *, seconds: float = 10.0) -> None:
    """Wait for a condition that asks the store."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.005)


def changed(one: Touchpoint, **fields: Any) -> Touchpoint:
    """A touchpoint with other fields."""
    return dataclasses.replace(one, **fields)

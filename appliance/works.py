"""The works: all that moves events, made for one usable events file."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from appliance.chance import jitter
from appliance.clock import Clock
from appliance.deeds import Deeds
from appliance.endpoints import given_url
from appliance.holds import Holds
from appliance.hops.drain import Drain
from appliance.hops.lanes import Lanes
from appliance.ids import new_id
from appliance.rehearsal import Rehearsal
from appliance.tasks import Tasks
from store.facts import Facts
from store.inbox import StoreUnavailable
from store.log import Filter
from store.outbox import Settlement
from store.settings import Configuration
from store.sqlite.events_file import EventsFile
from touchpoints.delivery import Job
from touchpoints.destinations.registry import open_sender
from touchpoints.event import ArrivedBy, Event
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.touchpoint import Touchpoint
from web.listener.budget import Budget
from web.listener.endpoint import Directory
from web.listener.intake import Perform, not_performed
from web.listener.judging import NO_KEY_SOURCE, KeySource

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the works need of the process around them."""

    configuration: Callable[[], Configuration]
    directory: Callable[[], Directory]
    facts: Facts
    budget: Budget
    clock: Clock
    environment: Mapping[str, str]
    tasks: Tasks
    settled: Callable[[Job, Settlement], None]  # told what each attempt came to
    proxied: Callable[[str], str] = lambda _path: ""  # the URL that a request's path at the proxy belongs to; empty: unpaired
    perform: Perform = not_performed  # what a handshake's answer waits for
    published: KeySource = NO_KEY_SOURCE


class Works:
    """Drain, lanes, deeds, holds and rehearsal over one events file."""

    def __init__(self, events: EventsFile, around: Surroundings) -> None:
        self.events = events
        self.begun = False  # to drain and to deliver, for good: a process that ends does not begin again
        self._beginning = asyncio.Lock()
        self._around = around
        now = around.clock.now
        self.lanes = Lanes(
            outbox=events.outbox,
            budget=around.budget,
            clock=around.clock,
            jitter=jitter,
            open_sender=lambda destination: open_sender(destination, environment=around.environment, now=now),
            tasks=around.tasks,
            settled=around.settled,
        )
        self.drain = Drain(
            inbox=events.inbox, outbox=events.outbox, touchpoints=self._touchpoints, now=now, planned=self.lanes.wake
        )
        self.deeds = Deeds(
            actions=events.actions,
            touchpoints=self._touchpoints,
            url=self._sender_url,
            now=now,
            perform=around.perform,
            published=around.published,
            between=self.drain.between,
        )
        self.holds = Holds(facts=around.facts, deeds=self.deeds, configuration=around.configuration)
        self.rehearsal = Rehearsal(
            inbox=events.inbox,
            log=events.log,
            actions=events.actions,
            directory=around.directory,
            sender=self.lanes.sender,
            url=self._sender_url,
            wake=self.wake,
            clock=around.clock,
            new_id=new_id,
            published=around.published,
        )

    @property
    def usable(self) -> bool:
        """Whether the events file can be read; a damaged one waits for a person."""
        return self.events.state != "corrupt"

    async def begin(self) -> None:
        """Start, once, where that can be. Where not, nothing is drained, and it is to be tried again."""
        async with self._beginning:
            if self.begun or not self.usable:
                return
            try:
                await self.start()
            except StoreUnavailable as error:
                log.warning("works_wait", code=error.code)

    async def start(self) -> None:
        """Begin to drain and deliver. Raises StoreUnavailable."""
        await self.lanes.recall()
        await self.holds.carry_out()
        await self.lanes.follow(self._around.configuration().touchpoints)
        self._around.tasks.spawn(self.drain.run(), name="drain")
        self.begun = True

    async def start_empty(self, *, live: bool) -> None:
        """Begin with an empty events file; the damaged one stays beside it. `live`: the process runs, and goes on.

        Raises ProblemError(events_file_usable).
        """
        if self.usable:
            raise ProblemError(problem("events_file_usable"))
        await self.close(grace=0)
        self.begun = False
        await self.events.start_empty(now=self._around.clock.now())
        if live:
            await self.begin()

    async def follow(self) -> None:
        """Take up a new configuration. The lanes follow whatever the store says: then nothing goes out that is on hold."""
        await self.lanes.follow(self._around.configuration().touchpoints)
        self.drain.restart()
        async with self.drain.between:  # what was being planned by the configuration before is there to be held, or let go
            await self.holds.carry_out()
        self.lanes.wake()

    def wake(self) -> None:
        """Something may be due anywhere: an action was taken, the clock jumped, or the safety net swings."""
        self.drain.restart()
        self.lanes.wake()

    async def clock_jumped(self, moved: Micros) -> None:
        """Moments reckoned by a clock that ran ahead would never come: what waits for one is due now."""
        if moved < 0:
            try:
                await self.deeds.do("retry", Filter(tests=True), dry_run=False)
            except StoreUnavailable as error:
                log.warning("retries_wait_for_the_old_clock", code=error.code)
        self.lanes.probe_now()
        self.wake()

    async def close(self, *, grace: float) -> None:
        """Plan nothing more, let attempts under way end for `grace` seconds."""
        await self._around.tasks.end("drain")
        await self.lanes.close(grace=grace)

    def _sender_url(self, touchpoint: Touchpoint, event: Event) -> str:
        """What the sender was given, and may have signed."""
        if event.arrived_by is ArrivedBy.PROXY and (url := self._around.proxied(event.target.partition("?")[0])):
            return url
        return given_url(touchpoint, self._around.configuration(), event.target.partition("?")[0])

    def _touchpoints(self) -> Mapping[int, Touchpoint]:
        return {one.id: one for one in self._around.configuration().touchpoints}

"""All lanes: one for each destination that is configured."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from appliance.clock import Clock
from appliance.hops.lane import Lane, Route
from appliance.tasks import Tasks
from store.outbox import Outbox, Settlement
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Sender
from touchpoints.retry import Health
from touchpoints.touchpoint import Destination, Touchpoint, TouchpointState
from web.listener.budget import Budget


class Lanes:
    """The lanes, kept in step with the configuration."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        budget: Budget,
        clock: Clock,
        jitter: Callable[[], float],
        open_sender: Callable[[Destination], Sender],
        tasks: Tasks,
        settled: Callable[[Job, Settlement], None] = lambda _job, _settlement: None,
    ) -> None:
        """`settled` is told what each attempt came to, once that is on disk."""
        self._outbox = outbox
        self._budget = budget
        self._clock = clock
        self._jitter = jitter
        self._open_sender = open_sender
        self._tasks = tasks
        self._settled = settled
        self._lanes: dict[int, Lane] = {}
        self._health: dict[int, Health] = {}

    async def recall(self) -> None:
        """Take up what earlier runs knew of the destinations."""
        self._health = {health.destination: health for health in await self._outbox.health()}

    async def follow(self, touchpoints: Iterable[Touchpoint]) -> None:
        """Open, change and close lanes so that they are those of the configuration."""
        wanted = {
            destination.id: (touchpoint, destination) for touchpoint in touchpoints for destination in touchpoint.destinations
        }
        for gone in self._lanes.keys() - wanted.keys():
            await self._close(gone)
        for number, (touchpoint, destination) in wanted.items():
            self._keep(number, touchpoint, destination)

    def wake(self, destinations: Iterable[int] | None = None) -> None:
        """Something is due for these destinations, or for any."""
        for number in self._lanes if destinations is None else destinations:
            if lane := self._lanes.get(number):
                lane.pace.wake()

    def probe_now(self) -> None:
        """The clock jumped: probe at once what is down."""
        for lane in self._lanes.values():
            lane.probe_now()

    def health(self) -> Mapping[int, Health]:
        """What is known of each destination."""
        return {number: lane.health for number, lane in self._lanes.items()}

    def sender(self, destination: int) -> Sender | None:
        """The open sender of a destination."""
        lane = self._lanes.get(destination)
        return lane.route.sender if lane else None

    async def close(self, *, grace: float) -> None:
        """Let attempts under way end for `grace` seconds, then cut them off: they are unknown and repeat."""
        for lane in self._lanes.values():
            lane.pause()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        while (  # noqa: ASYNC110 - bounded in time, over many lanes, once in a process's life
            loop.time() < deadline and not all(lane.idle for lane in self._lanes.values())
        ):
            await asyncio.sleep(0.02)
        for number in list(self._lanes):
            await self._close(number)

    def _keep(self, number: int, touchpoint: Touchpoint, destination: Destination) -> None:
        lane = self._lanes.get(number)
        same = lane is not None and lane.route.destination == destination
        route = Route(
            destination=destination,
            touchpoint=touchpoint.name,
            retry=touchpoint.retry,
            sender=lane.route.sender if lane and same else self._open_sender(destination),
            paused=touchpoint.state is TouchpointState.HOLD,
        )
        if lane is not None:
            lane.follow(route)
            if not same:
                lane.probe_now()
            return
        health = self._health.get(number, Health(destination=number))
        lane = Lane(
            route,
            health=health,
            outbox=self._outbox,
            budget=self._budget,
            clock=self._clock,
            jitter=self._jitter,
            settled=self._settled,
        )
        self._lanes[number] = lane
        self._tasks.spawn(lane.run(), name=f"lane-{number}")

    async def _close(self, number: int) -> None:
        lane = self._lanes.pop(number)
        self._health[number] = lane.health
        await self._tasks.end(f"lane-{number}")
        await lane.aclose()

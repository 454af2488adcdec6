"""The house: the chores that keep a running agent in order, each run by the schedule every so many seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from appliance.clock import Clock
from appliance.floor import Floor
from appliance.refusals import Refusals
from appliance.statistics import Tally
from appliance.works import Works
from store.settings import RetentionSettings
from touchpoints.moment import MINUTE

log = structlog.get_logger()

Chore = tuple[float, Callable[[], Awaitable[None]], str]  # seconds, what, its name


class House:
    """The safety net, the floor, what is written down every few seconds, and retention."""

    def __init__(
        self,
        *,
        works: Callable[[], Works | None],
        floor: Floor,
        refusals: Refusals,
        tally: Tally,
        retention: Callable[[], RetentionSettings],
        calm: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """`calm` tells whether the clock has been believable for an hour: until then nothing goes by its age."""
        self._works = works
        self._floor = floor
        self._refusals = refusals
        self._tally = tally
        self._retention = retention
        self._calm = calm
        self._clock = clock
        self._pruning = asyncio.Lock()
        self._exhausted_at = -MINUTE

    @property
    def chores(self) -> Sequence[Chore]:
        """What is to be run, and how often."""
        return (
            (2.0, self._write_statistics, "statistics"),
            (5.0, self._swing, "safety net"),
            (5.0, self._look_at_floor, "floor"),
            (5.0, self._flush_refusals, "refusals"),
            (600.0, self._retain, "retention"),
        )

    async def write_down(self) -> None:
        """What was only counted so far goes to the disk."""
        await self._flush_refusals()
        await self._write_statistics()

    async def _swing(self) -> None:
        if works := self._works():
            works.wake()

    async def _look_at_floor(self) -> None:
        await asyncio.to_thread(self._floor.look)
        # All that is stored was read for nothing where it may not go: not again at each look.
        if self._floor.nearly_full and self._clock.steady() - self._exhausted_at >= MINUTE:
            if await self._prune(by_age=False):
                self._exhausted_at = self._clock.steady()
            await asyncio.to_thread(self._floor.look)

    async def _flush_refusals(self) -> None:
        if works := self._works():
            await self._refusals.flush(works.events.inbox)

    async def _write_statistics(self) -> None:
        if works := self._works():
            await self._tally.write_down(works.events.statistics)

    async def _retain(self) -> None:
        if self._calm():
            await self._prune(by_age=True)

    async def _prune(self, *, by_age: bool) -> bool:
        """Whether all that is left is unsettled, though there is no more room than that."""
        works = self._works()
        if works is None or not works.usable or self._pruning.locked():
            return False
        async with self._pruning:
            beside = self._floor.log_bytes
            pruned = await works.events.retention.prune(self._retention(), now=self._clock.now(), by_age=by_age, beside=beside)
        if pruned.bodies or pruned.events or pruned.refused:
            log.info("pruned", bodies=pruned.bodies, events=pruned.events, refused=pruned.refused)
        return pruned.exhausted

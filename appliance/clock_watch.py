"""The clock watch: notices a wall clock that jumped, and sets right what relies on it."""

import asyncio
from collections.abc import Callable

import structlog

from appliance.clock import Clock
from appliance.steadiness import Steadiness
from touchpoints.moment import SECOND, Micros

log = structlog.get_logger()


class ClockWatch:
    """Looks every second of monotonic time, so that it cannot itself be put to sleep by the jump."""

    def __init__(self, clock: Clock, *, jumped: Callable[[Micros], None]) -> None:
        """`jumped` is told how far after each jump: to reschedule chores and wake the hops."""
        self._clock = clock
        self._jumped = jumped
        self._steadiness = Steadiness(wall=clock.now(), steady=clock.steady())

    @property
    def calm(self) -> bool:
        """Whether the wall clock has been believable for an hour."""
        return self._steadiness.calm(steady=self._clock.steady())

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(1)
            self.look()

    def look(self) -> None:
        """One look."""
        if moved := self._steadiness.observe(wall=self._clock.now(), steady=self._clock.steady()):
            log.warning("clock_jumped", seconds=moved / SECOND)
            self._jumped(moved)

"""The pace of a hop: it rests until the first of a wake, the next due moment, and one second of monotonic time."""

import asyncio

from touchpoints.moment import SECOND, Micros

# A clock that jumps back makes any computed wait a lie; a second of monotonic time is the most one can cost.
LONGEST_REST = 1.0


class Pace:
    """A hop's rest, ended early by `wake`."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def rest(self, *, now: Micros, due: Micros | None = None) -> None:
        """Wait; a wake since the last rest ends it at once."""
        span = LONGEST_REST if due is None else min(LONGEST_REST, max(0.0, (due - now) / SECOND))
        try:
            async with asyncio.timeout(span):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

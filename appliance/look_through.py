"""The look-through: each day the file of events is read from end to end, since damage in what is seldom read tells nobody."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from appliance.backup.aftermath import Facts
from appliance.clock import Clock
from store.inbox import StoreUnavailable
from store.sqlite.guarded_file import GuardedFile
from touchpoints.moment import DAY, HOUR, Micros
from touchpoints.problem import ProblemError

log = structlog.get_logger()

_LOOKED = "looked_through"  # the fact that tells when the file was last found sound, in microseconds


class LookThrough:
    """Of one file, an agent's or a proxy's. Soon after a start, unless that was done within a day and the stop was a clean one;
    then each day. Damage makes the file corrupt, which is told as any other."""

    def __init__(self, *, file: Callable[[], GuardedFile | None], facts: Facts, clock: Clock) -> None:
        """`file` is None while there is none that can be read."""
        self._file = file
        self._facts = facts
        self._clock = clock
        self._sound_at: Micros | None = None
        self._not_before: Micros = 0  # on the steady clock

    @property
    def chores(self) -> Sequence[tuple[float, Callable[[], Awaitable[None]], str]]:
        """What is to be run, and how often."""
        return ((60.0, self.when_due, "look-through"),)

    async def when_due(self) -> None:
        """Look, if it is time. Where it could not be done, or was given up, it is tried again in an hour."""
        file = self._file()
        if file is None or self._clock.steady() < self._not_before:
            return
        try:
            if await self._is_due(file):
                await self._look(file)
        except (StoreUnavailable, ProblemError) as error:
            self._rest(str(error))

    async def _is_due(self, file: GuardedFile) -> bool:
        if self._sound_at is None:
            kept = await self._facts.fact(_LOOKED)
            self._sound_at = int(kept) if kept.isascii() and kept.isdigit() else 0
        # A moment that is to come was written while the clock was wrong.
        return file.stopped_uncleanly or not self._sound_at <= self._clock.now() < self._sound_at + DAY

    async def _look(self, file: GuardedFile) -> None:
        now, began = self._clock.now(), self._clock.steady()
        sound = await file.look_through()
        if sound is None:
            self._rest("too much was written meanwhile")
        elif sound:
            log.info("looked_through", milliseconds=(self._clock.steady() - began) // 1000)
            self._sound_at = now
            await self._facts.keep_fact(_LOOKED, str(now))
        else:
            log.error("store_corrupt", problem=str(file.problem))

    def _rest(self, why: str) -> None:
        log.warning("look_through_waits", why=why)
        self._not_before = self._clock.steady() + HOUR

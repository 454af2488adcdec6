"""The look-through: each day the file of events is read from end to end, since damage in what is seldom read tells nobody."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog

from appliance.clock import Clock
from store.facts import Facts
from store.inbox import StoreUnavailable
from store.sqlite.guarded_file import GuardedFile
from touchpoints.moment import DAY, HOUR, Micros, told_moment
from touchpoints.problem import Problem, ProblemError, problem

log = structlog.get_logger()

_UNTOLD: Micros = 7 * DAY  # so long one that is given up again and again is only in the log
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
        self._tried_at: Micros | None = None  # first, since it was last found sound
        self._unreadable = False
        self._times_sound = 0

    @property
    def chores(self) -> Sequence[tuple[float, Callable[[], Awaitable[None]], str]]:
        """What is to be run, and how often."""
        return ((60.0, self.when_due, "look-through"),)

    def needs(self) -> Iterator[Problem]:
        """What a person should know: that the disk fails while reading, or that nobody has looked for a week."""
        if self._unreadable:
            yield problem("store_part_unreadable")
        elif self._tried_at is not None and self._clock.now() - self._tried_at >= _UNTOLD:
            yield problem("not_looked_through", since=told_moment(self._sound_at or self._tried_at))

    async def when_due(self) -> None:
        """Look, if it is time. Where it could not be done, or was given up, it is tried again in an hour."""
        file = self._file()
        if file is None:
            return
        try:
            if file.times_sound > self._times_sound:  # a person had it looked through
                await self._note(file, self._clock.now())
            if self._clock.steady() >= self._not_before and await self._is_due(file):
                await self._look(file)
        except StoreUnavailable as error:
            self._unreadable = error.code == "store_failed"
            self._rest(error.code)
        except ProblemError as error:  # a fact could not be kept: said elsewhere
            self._rest(str(error))

    async def _is_due(self, file: GuardedFile) -> bool:
        now = self._clock.now()
        if self._sound_at is None:
            kept = await self._facts.fact(_LOOKED)
            self._sound_at = int(kept) if kept.isascii() and kept.isdigit() and len(kept) <= len(str(now)) else 0
        if self._sound_at > now:  # written while the clock was wrong
            self._sound_at = 0
        return file.stopped_uncleanly or now >= self._sound_at + DAY

    async def _look(self, file: GuardedFile) -> None:
        now, began = self._clock.now(), self._clock.steady()
        if self._tried_at is None:
            self._tried_at = now
        sound = await file.look_through()
        self._unreadable = False
        if sound is None:
            self._rest("too much was written meanwhile")
        elif sound:
            log.info("looked_through", milliseconds=(self._clock.steady() - began) // 1000)
            await self._note(file, now)
        else:
            log.error("store_corrupt", problem=str(file.problem))

    async def _note(self, file: GuardedFile, now: Micros) -> None:
        self._times_sound = file.times_sound
        self._sound_at, self._tried_at, self._unreadable = now, None, False
        await self._facts.keep_fact(_LOOKED, str(now))

    def _rest(self, why: str) -> None:
        log.warning("look_through_waits", why=why)
        self._not_before = self._clock.steady() + HOUR

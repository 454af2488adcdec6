"""The quiet: touchpoints to which nothing came for longer than usual. Looks twice a minute, at one small row each."""

from collections.abc import Callable, Mapping, Sequence

from store.arrivals import Arrivals
from store.settings import Configuration
from touchpoints.moment import Micros
from touchpoints.quiet import MARGIN, unusual
from touchpoints.touchpoint import TouchpointState

_WATCHED = (TouchpointState.RUNNING, TouchpointState.HOLD)


class Quiet:
    """`found` names each quiet touchpoint with for how long, and what was usual (None where a limit is set)."""

    def __init__(
        self, *, configuration: Callable[[], Configuration], now: Callable[[], Micros], calm: Callable[[], bool]
    ) -> None:
        """`calm` tells whether the clock has been believable for an hour: until then no span of time is."""
        self.found: dict[str, tuple[Micros, Micros | None]] = {}
        self.unsure: frozenset[str] = frozenset()  # touchpoints of which it cannot be said that they are not quiet
        self._configuration = configuration
        self._now = now
        self._calm = calm
        self._began = now()
        self._last: dict[int, Micros] = {}
        self._history: dict[int, Sequence[Micros]] = {}  # of touchpoints that are quiet: it changes with the next arrival

    async def look(self, last: Mapping[int, Micros], arrivals: Arrivals) -> None:
        """Note what came since the last look, and see who is quiet. Raises StoreUnavailable."""
        now = self._now()
        came = {who: at for who, at in last.items() if self._last.get(who) != at}
        if came:
            await arrivals.add(came, now=now)
            self._last |= came
            for who in came:
                self._history.pop(who, None)
        found: dict[str, tuple[Micros, Micros | None]] = {}
        unsure: set[str] = set()
        for touchpoint in self._configuration().touchpoints:
            at = last.get(touchpoint.id)
            if at is None or touchpoint.state not in _WATCHED:
                continue
            # While Hookport did not run nothing could come.
            quiet = await self._judge(touchpoint.id, max(at, self._began), now, arrivals) if self._calm() else None
            if quiet is not None:
                found[touchpoint.name] = quiet
            elif at < self._began or not self._calm():
                unsure.add(touchpoint.name)
        self.found, self.unsure = found, frozenset(unsure)

    async def _judge(
        self, touchpoint: int, since: Micros, now: Micros, arrivals: Arrivals
    ) -> tuple[Micros, Micros | None] | None:
        limit = self._configuration().alerts.silence
        if limit is None or (limit == "auto" and now - since <= MARGIN):
            return None
        if isinstance(limit, int):
            return (now - since, None) if now - since > limit else None
        if touchpoint not in self._history:
            self._history[touchpoint] = await arrivals.minutes(touchpoint)
        strange = unusual(self._history[touchpoint], since=since, now=now)
        return None if strange is None else (strange.quiet, strange.usual)

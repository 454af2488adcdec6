"""The drain: plans what waits in the inbox and moves it to the outbox."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from appliance.hops.pace import Pace
from store.inbox import Inbox, StoreUnavailable, Waiting
from store.outbox import Outbox, Plan
from touchpoints.moment import Micros
from touchpoints.plan import plan
from touchpoints.touchpoint import Touchpoint

log = structlog.get_logger()

BATCH = 256


class Drain:
    """The hop from inbox to outbox."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        outbox: Outbox,
        touchpoints: Callable[[], Mapping[int, Touchpoint]],
        now: Callable[[], Micros],
        planned: Callable[[Iterable[int]], None],
    ) -> None:
        """`touchpoints` gives those that exist, by id; `planned` is told the destinations that have something new."""
        self.pace = Pace()
        self.stranded = 0  # events whose touchpoint this agent lacks: kept, and shown to a person
        self._inbox = inbox
        self._outbox = outbox
        self._touchpoints = touchpoints
        self._now = now
        self._planned = planned
        self._after = 0

    def restart(self) -> None:
        """Look at stranded events again: touchpoints changed, or something old came back to the inbox."""
        self._after = 0
        self.stranded = 0
        self.pace.wake()

    async def run(self) -> None:
        """Drain until cancelled; what cannot be committed now is tried again."""
        while True:
            try:
                moved = await self.once()
            except StoreUnavailable as error:
                log.warning("drain_waits", code=error.code)
                moved = 0
            if moved < BATCH:
                await self.pace.rest(now=self._now())

    async def once(self) -> int:
        """Plan one batch; how many events it looked at."""
        waiting = await self._inbox.take(limit=BATCH, after=self._after)
        known = self._touchpoints()
        plans = [self._plan(one, known[one.event.touchpoint]) for one in waiting if one.event.touchpoint in known]
        if plans:
            await self._outbox.plan(plans)
            self._planned({delivery.destination for made in plans for delivery in made.deliveries})
        self._pass_stranded(waiting, len(plans))
        return len(waiting)

    def _pass_stranded(self, waiting: Sequence[Waiting], planned: int) -> None:
        """Events without a touchpoint stay in the inbox; step over them so that they never block the others."""
        if planned < len(waiting):
            self.stranded += len(waiting) - planned
            self._after = waiting[-1].seq

    def _plan(self, waiting: Waiting, touchpoint: Touchpoint) -> Plan:
        made = plan(waiting.event, touchpoint, self._now())
        return Plan(
            seq=waiting.seq,
            deliveries=made.deliveries,
            filtered=made.filtered,
            dedup_key=made.dedup_key,
            dedup_since=made.dedup_since,
            dedup_hash=made.dedup_hash,
        )

"""The drain: plans what waits in the inbox and moves it to the outbox."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from appliance.hops.pace import Pace
from appliance.hops.splitting import split_plans, splits
from store.inbox import Inbox, StoreUnavailable, Waiting
from store.outbox import Outbox, Plan, plan_of
from touchpoints.delivery import Delivery
from touchpoints.moment import SECOND, Micros
from touchpoints.plan import plan
from touchpoints.touchpoint import Touchpoint

log = structlog.get_logger()

BATCH = 512

# A burst is taken in first: beside a busy listener planning takes a sixth of the time, in large batches, unless it falls
# behind. That keeps up with some thousand events a second; above, deliveries begin a few seconds later.
BUSY = 8  # events in a batch
BUSY_REST = 0.02  # seconds, at least
BUSY_SHARE = 5  # how many times as long as a batch took
BEHIND: Micros = 5 * SECOND


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
        self.between = asyncio.Lock()  # who has it knows that no batch is being planned
        self.stranded = 0  # events whose touchpoint this agent lacks: kept, and shown to a person
        self._inbox = inbox
        self._outbox = outbox
        self._touchpoints = touchpoints
        self._now = now
        self._planned = planned
        self._restarting = self._behind = self._busy = False
        self._after = 0
        self._passed = 0

    def restart(self) -> None:
        """Look at stranded events again: touchpoints changed, or something old came back to the inbox."""
        self._restarting = True
        self.pace.wake()

    async def run(self) -> None:
        """Drain until cancelled; what cannot be committed now is tried again."""
        while True:
            began = asyncio.get_running_loop().time()
            try:
                async with self.between:
                    moved = await self.once()
            except StoreUnavailable as error:
                log.warning("drain_waits", code=error.code)
                moved = 0
            except Exception as error:  # a drain that has died would leave everything where it is
                log.error("drain_failed", exc_info=error)
                moved = 0
            if self._bursts(moved):
                await asyncio.sleep(max(BUSY_REST, BUSY_SHARE * (asyncio.get_running_loop().time() - began)))
            if moved < BATCH:
                await self.pace.rest(now=self._now())

    def _bursts(self, moved: int) -> bool:
        """Whether more is coming in than the listener should be kept from by planning.

        A single large batch is what gathered while the machine stood still, or what came in one pull: no burst yet.
        """
        again, self._busy = self._busy and moved >= BUSY, moved >= BUSY if moved else self._busy
        return again and not self._behind

    async def once(self) -> int:
        """Plan one batch; how many events it looked at."""
        if self._restarting:
            self._restarting, self._after, self._passed = False, 0, 0
        waiting = await self._inbox.take(limit=BATCH, after=self._after)
        self._behind = bool(waiting) and self._now() - waiting[0].event.received_at > BEHIND
        known = self._touchpoints()
        here = [(one, known[one.event.touchpoint]) for one in waiting if one.event.touchpoint in known]
        whole = [plan_of(one.seq, plan(one.event, by, self._now())) for one, by in here if not splits(one.event, by)]
        if whole:
            await self._move(whole)
        if len(whole) < len(here):
            rest = [(one, by) for one, by in here if splits(one.event, by)]
            async for plans in split_plans(rest, self._inbox, now=self._now()):
                await self._move(plans)
        self._pass_stranded(waiting, len(here))
        return len(waiting)

    async def _move(self, plans: Sequence[Plan]) -> None:
        await self._outbox.plan(plans)
        self._planned({delivery.destination for made in plans for delivery in _deliveries(made)})

    def _pass_stranded(self, waiting: Sequence[Waiting], planned: int) -> None:
        """Events without a touchpoint stay in the inbox; step over them so that they never block the others."""
        if planned < len(waiting):
            self._passed += len(waiting) - planned
            self._after = waiting[-1].seq
        if len(waiting) < BATCH:
            self.stranded = self._passed


def _deliveries(made: Plan) -> Iterable[Delivery]:
    if made.items is None:
        return made.deliveries
    return (delivery for item in made.items for delivery in item.planned.deliveries)

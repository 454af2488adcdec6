"""The lane: everything on its way to one destination. A slow or dead destination holds up its own lane only."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from appliance.clock import Clock
from appliance.hops.pace import LONGEST_REST, Pace
from store.inbox import StoreUnavailable
from store.outbox import Outbox, Settlement
from touchpoints.attempt import Attempt, Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Sender
from touchpoints.moment import Micros
from touchpoints.problem import problem
from touchpoints.retry import Health, allowed, decide, observe
from touchpoints.touchpoint import Destination, Retry
from web.listener.budget import Budget

log = structlog.get_logger()

# What a claim sets aside of the process's budget for bodies; a body larger than this is claimed alone, by its size.
CLAIM_BYTES = 256 * 1024
# Look again at once.
NOW: Micros = -1
# Fewer attempts under way than there ever are.
NEVER = -1
# A claim for each slot that frees would cost more than the attempts: so long it waits for a half of them.
GATHER: Micros = 5_000
# A larger body is hashed in a thread.
LARGE = 256 * 1024
# Seconds a claim waits for its part of the budget before the lane looks around again.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a lane carries by; replaced whole when the configuration changes."""

    destination: Destination
    touchpoint: str
    retry: Retry
    sender: Sender
    paused: bool  # the touchpoint is on hold


@dataclass(slots=True)
class Lease:
    """A part of the budget, held until all of one claim is settled: so long its bodies may be in memory."""

    bytes: int
    holders: int


LeasedJob = tuple[Job, Lease]


class Lane:
    """The hop from outbox to one destination."""

    def __init__(
        self,
        route: Route,
        *,
        health: Health,
        outbox: Outbox,
        budget: Budget,
        clock: Clock,
        jitter: Callable[[], float],
        settled: Callable[[Job, Settlement], None],
    ) -> None:
        self.pace = Pace()
        self.health = health
        self._route = route
        self._outbox = outbox
        self._budget = budget
        self._clock = clock
        self._jitter = jitter
        self._settled = settled
        self._claimed: set[int] = set()  # claimed and not yet settled on disk
        self._sending = 0
        self._refill_at = NEVER  # attempts under way at which the lane looks again for what is due
        self._gathered = False  # it has waited for more slots
        self._users: dict[Sender, int] = {}

    @property
    def route(self) -> Route:
        """What the lane carries by now."""
        return self._route

    @property
    def idle(self) -> bool:
        """Whether no attempt is under way, and what came of the last ones is on disk."""
        return not self._claimed

    def pause(self) -> None:
        """Claim nothing more; attempts under way go on."""
        self._route = replace(self._route, paused=True)

    def follow(self, route: Route) -> None:
        """Carry by a new route from the next claim on; the old sender closes when its last attempt has ended."""
        self._users.setdefault(self._route.sender, 0)
        self._route = route
        self.pace.wake()

    def probe_now(self) -> None:
        """The clock jumped, or the destination was changed: when to probe was reckoned by what it was before."""
        if self.health.down_since is not None:
            self.health = replace(self.health, probe_at=min(self.health.probe_at, self._clock.now()))
        self.pace.wake()

    async def aclose(self) -> None:
        """Close every sender; `run` has ended before."""
        self._users.setdefault(self._route.sender, 0)
        for sender in self._users:
            await sender.aclose()
        self._users.clear()

    async def run(self) -> None:
        """Carry until cancelled. Attempts cut off then count as unknown: they repeat after the next start."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                route = self._route
                try:
                    await self._close_unused()
                    due = await self._send_due(route, attempts)
                except StoreUnavailable as error:
                    log.warning("lane_waits", destination=route.destination.name, code=error.code)
                    due = None
                except Exception as error:  # a lane that has died would keep everything behind it for ever
                    log.error("lane_failed", destination=route.destination.name, exc_info=error)
                    due = None
                if due != NOW:
                    await self.pace.rest(now=self._clock.now(), due=due)

    async def _send_due(self, route: Route, attempts: asyncio.TaskGroup) -> Micros | None:
        """Start attempts for what is due and fits; when to look again: `NOW`, a moment, or None for when woken."""
        now = self._clock.now()
        most = allowed(self.health, route.destination.concurrency, now=now)
        free = most - self._sending
        self._refill_at = NEVER
        if self.health.down_since is not None and now < self.health.probe_at:
            return self.health.probe_at
        if route.paused:
            return None
        if free <= 0:
            self._refill_at, self._gathered = most - 1, False
            return None
        if free < most // 2 and not self._gathered:
            self._refill_at, self._gathered = most - most // 2, True
            return now + GATHER
        self._gathered = False
        jobs = await self._claim(route, now=now, limit=free, bytes_=CLAIM_BYTES)
        self._start(jobs, route, attempts)
        if len(jobs) == free:
            return NOW
        following = await self._outbox.next_due(route.destination.id, skip=self._claimed)
        if following is None or following.due_at > now:
            return following.due_at if following else None
        if not jobs and following.body_bytes > CLAIM_BYTES:
            jobs = await self._claim(route, now=now, limit=1, bytes_=following.body_bytes)
            self._start(jobs, route, attempts)
        return NOW if jobs else None

    def _start(self, jobs: Sequence[LeasedJob], route: Route, attempts: asyncio.TaskGroup) -> None:
        for leased in jobs:
            attempts.create_task(self._carry(leased, route)).add_done_callback(partial(self._end_lease, leased[1]))

    async def _claim(self, route: Route, *, now: Micros, limit: int, bytes_: int) -> Sequence[LeasedJob]:
        """Claim within a part of the budget; nothing where the route has changed meanwhile."""
        share = min(bytes_, self._budget.limit)  # a body stored under a larger limit must get through, too
        if not await self._budget.take(share, PATIENCE):
            return ()
        jobs: Sequence[Job] = ()
        try:
            jobs = await self._outbox.claim(route.destination.id, now=now, limit=limit, max_bytes=bytes_, skip=self._claimed)
            if self._route is not route:
                jobs = ()
        finally:
            if not jobs:
                self._budget.give(share)
        lease = Lease(bytes=share, holders=len(jobs))
        self._claimed.update(job.seq for job in jobs)
        self._sending += len(jobs)
        self._users[route.sender] = self._users.get(route.sender, 0) + len(jobs)
        return [(job, lease) for job in jobs]

    async def _carry(self, leased: LeasedJob, route: Route) -> None:
        job, _ = leased
        started, began = self._clock.now(), self._clock.steady()
        try:
            outcome = await self._attempt(job, route)
        finally:
            self._sending -= 1
            self._users[route.sender] -= 1
        attempt = Attempt(
            number=job.delivery.attempts + 1, started_at=started, duration=self._clock.steady() - began, outcome=outcome
        )
        settlement, changed = self._judge(job, attempt, outcome, route.retry)
        if changed or self._sending <= self._refill_at or route is not self._route:
            self.pace.wake()
        await self._settle(settlement, changed=changed)
        self._settled(job, settlement)
        self._claimed.discard(job.seq)
        if not isinstance(outcome, Delivered):
            self.pace.wake()

    async def _attempt(self, job: Job, route: Route) -> Outcome:
        """What a sender raises against its promise takes this delivery's tries, and nobody else down."""
        if not await _is_whole(job):
            log.error("body_damaged", delivery=job.delivery.id)
            words = problem("body_damaged")
            return Failed(blame=Blame.FINAL, code=words.code, error=words.text)
        try:
            return await route.sender.attempt(job, touchpoint=route.touchpoint)
        except Exception as error:
            log.error("attempt_failed", delivery=job.delivery.id, exc_info=error)
            words = problem("attempt_failed", error=type(error).__name__)
            return Failed(blame=Blame.EVENT, code=words.code, error=words.text)

    def _end_lease(self, lease: Lease, _: object) -> None:
        # By the task's end, not within it: a task cancelled before its first step never runs a line.
        lease.holders -= 1
        if lease.holders == 0:
            self._budget.give(lease.bytes)

    def _judge(self, job: Job, attempt: Attempt, outcome: Outcome, retry: Retry) -> tuple[Settlement, bool]:
        """Decide what becomes of the delivery, and whether something new is known of the destination."""
        now, jitter = self._clock.now(), 0.0 if isinstance(outcome, Delivered) else self._jitter()
        before, self.health = self.health, observe(self.health, outcome, now=now, jitter=jitter)
        decision = decide(outcome, delivery=job.delivery, retry=retry, health=self.health, now=now, jitter=jitter)
        if before.down_since is None and self.health.down_since is not None:
            log.warning("destination_down", destination=self._route.destination.name, code=self.health.error_code)
        if before.down_since is not None and self.health.down_since is None:
            log.info("destination_up", destination=self._route.destination.name)
        settlement = Settlement(
            seq=job.seq, attempt=attempt, state=decision.state, due_at=decision.due_at, counts=decision.counts
        )
        return settlement, self.health != before

    async def _settle(self, settlement: Settlement, *, changed: bool) -> None:
        """The attempt has happened: it is recorded as soon as the disk lets us, and not made again before."""
        while True:
            try:
                await self._outbox.settle([settlement], self.health if changed else None)
            except StoreUnavailable as error:
                log.warning("settle_waits", destination=self._route.destination.name, code=error.code)
                await asyncio.sleep(LONGEST_REST)
            else:
                return

    async def _close_unused(self) -> None:
        """Close senders that the lane no longer carries by and that no attempt uses."""
        for sender in [sender for sender, users in self._users.items() if not users and sender is not self._route.sender]:
            del self._users[sender]
            await sender.aclose()


async def _is_whole(job: Job) -> bool:
    """Whether the body is the one that was received: SQLite does not notice what a disk does to it."""
    digest = await asyncio.to_thread(hashlib.sha256, job.body) if len(job.body) > LARGE else hashlib.sha256(job.body)
    return digest.digest() == job.event.body_hash

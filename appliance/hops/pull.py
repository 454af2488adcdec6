"""The pull: takes what waits at a hosted proxy, stores it, acknowledges it, and only then lets it run."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import structlog

from appliance.clock import Clock
from appliance.hops.pull_judge import PullJudge, unreadable
from appliance.hops.pull_lease import Acknowledging, LeaseLost, LeasePlace
from appliance.hops.pull_pace import PAUSED_WAIT, SPUN, PullPace
from appliance.hops.pull_standing import PullStanding
from appliance.until_first import until_first
from store.dock import Dock, Landed
from store.inbox import StoreUnavailable
from store.remote_errors import NotAuthorized, ProxyBusy, RemoteError, Revoked, Unreachable, tampered
from store.remote_session import Room
from touchpoints.moment import SECOND, Micros
from touchpoints.pull.message import Ask, Batch, PullRequest, Reply
from web.listener.budget import Budget

log = structlog.get_logger()

LIMIT = 512  # events of one batch
MOST_BYTES = 8 * 1024 * 1024
ROOM_PATIENCE = 30.0  # seconds that a batch waits for its part of the budget
LOADED = 16  # events in a batch from which it is worth gathering more
LINGER = 0.01  # seconds
LOOK_AT_SETTLED: Micros = 5 * SECOND
MOST_REST = 30.0  # seconds that a busy proxy may ask for: half a lease
STORE_REST = 1.0
HOPELESS_REST = 300.0  # seconds between tries of an agent that the proxy no longer knows


class Place(LeasePlace, Protocol):
    """The proxy: see store.remote.Remote."""

    async def pull(self, request: PullRequest, *, room: Room | None = None) -> Batch:
        """The next batch; `room` is told of its size before it is read."""

    async def reply(self, reply: Reply, *, seconds: float = 3.0) -> None:
        """The answer to an ask."""


class Pull:
    """The hop from one proxy's queue to the inbox. `standing` is how it stands, for people."""

    def __init__(
        self,
        *,
        remote: Place,
        dock: Dock,
        proxy: str,
        judge: PullJudge,
        budget: Budget,
        clock: Clock,
        jitter: Callable[[], float],
        released: Callable[[int], None],
        trouble: Callable[[], str],
        lacking: Callable[[], tuple[str, ...]],
        told: Callable[[Batch], None] = lambda _batch: None,
        landed: Callable[[list[Landed]], None] = lambda _landed: None,
        reconnect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`proxy` is the pairing's id.

        - `released` is told how many events entered the inbox: wake the drain.
        - `trouble` is the problem code of what keeps this agent from taking anything in now; empty: nothing.
        - `told` is told each answer, without its events; `landed` each set of events that was stored.
        - `reconnect` makes the next request on a new connection: others may be dead without a word.
        """
        self.standing = PullStanding()
        self._remote = remote
        self._dock = dock
        self._proxy = proxy
        self._judge = judge
        self._budget = budget
        self._clock = clock
        self._trouble = trouble
        self._lacking = lacking
        self._told = told
        self._landed = landed
        self._reconnect = reconnect
        self._pace = PullPace(jitter)
        self._lease = Acknowledging(remote=remote, dock=dock, proxy=proxy, released=released, standing=self.standing)
        self._renewed = asyncio.Event()
        self._landing: asyncio.Future[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._claims: list[int] = []
        self._settled = (0, 0)
        self._settled_at: Micros | None = None
        self._fresh = True  # the next poll is the session's first
        self._last = 0  # events in the last batch
        self._blocked = ""  # why the last batch could not be stored: the next poll asks for none

    def renew(self) -> None:
        """The clock jumped, or the network may be another: whatever waits is given up, and a new connection made at once."""
        self._renewed.set()

    async def run(self) -> None:
        """Pull until cancelled; every failure is said in `standing` and tried again."""
        dead = False
        while True:
            try:
                if dead and self._reconnect is not None:
                    await self._reconnect()
                dead = True
                await self._until_renewed(self._session())
                self._pace.begin_anew()
                rest = 0.0
            except (RemoteError, StoreUnavailable, LeaseLost) as error:
                rest, dead = self._note(error), isinstance(error, Unreachable)
            except Exception as error:  # a pull that has died would leave everything at the proxy
                log.error("pull_failed", exc_info=error)
                rest = self._pace.rest()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._renewed.wait()

    async def close(self, *, grace: float) -> None:
        """Say goodbye, so that another agent takes over at once; `run` has ended before."""
        with suppress(TimeoutError, RemoteError, StoreUnavailable, LeaseLost):
            async with asyncio.timeout(grace):
                await self._lease.settle_berths()
                if self._lease.epoch:
                    await self._remote.release(self._lease.epoch)
        for task in self._answering:
            task.cancel()
        self._lease.epoch = 0
        self.standing.state = "off"

    async def _until_renewed(self, session: Awaitable[None]) -> None:
        self._renewed.clear()
        await self._first(session, self._renewed.wait())

    async def _session(self) -> None:
        """Pull and acknowledge side by side until one of them fails."""
        await self._lease.settle_berths()
        self._fresh = True
        await self._first(self._pull_on(), self._lease.run())

    async def _first(self, *works: Awaitable[object]) -> None:
        """Run works until the first ends; then none of them runs any more, and what was being stored is stored."""
        try:
            await until_first(*works)
        finally:
            if self._landing is not None:
                await asyncio.gather(self._landing, return_exceptions=True)

    async def _pull_on(self) -> None:
        while True:
            began, asked_to_wait = self._clock.steady(), not self._fresh
            paused, self._blocked = self._trouble() or self._blocked, ""
            try:
                batch = await self._poll(paused)
                self._note_answer(batch, paused)
                if await self._holds(batch) and batch.messages:
                    self._landing = asyncio.ensure_future(self._land(batch))
                    await asyncio.shield(self._landing)
            finally:
                self._give_room()
            self._last = len(batch.messages)
            spun = asked_to_wait and self._clock.steady() - began < SPUN * SECOND
            if spun and not batch.messages and not batch.asks:
                await asyncio.sleep(self._pace.breath())

    async def _poll(self, paused: str) -> Batch:
        lease = self._lease
        settled, unsettled = await self._how_settled()
        request = PullRequest(
            incarnation=lease.incarnation or await self._dock.incarnation(self._proxy),
            epoch=lease.epoch,
            after=lease.stored,
            seen=lease.seen,
            seen_id=lease.seen_id,
            limit=LIMIT,
            max_bytes=max(1, min(MOST_BYTES, self._budget.limit // 4) // self._pace.share),
            wait=self._wait(paused),
            linger=LINGER if self._last >= LOADED else 0.0,
            settled=settled,
            unsettled=unsettled,
            paused=paused,
            lacking=self._lacking(),
        )
        began, coming = self._clock.steady(), asyncio.Event()
        try:
            batch = await self._fetch(request, coming)
        except Unreachable:
            self._pace.cut((self._clock.steady() - began) / SECOND, coming=coming.is_set())
            raise
        self._pace.good((self._clock.steady() - began) / SECOND)
        return batch

    async def _fetch(self, request: PullRequest, coming: asyncio.Event) -> Batch:
        """The answer; the lease is kept while it comes. `coming` is set once it does."""
        found: list[Batch] = []

        async def room(size: int) -> None:
            coming.set()
            await self._take_room(size)

        async def fetch() -> None:
            found.append(await self._remote.pull(request, room=room))

        await until_first(fetch(), self._lease.keep(coming))
        return found[0]

    def _wait(self, paused: str) -> float:
        if self._fresh:  # how things stand is told at once, also to one that stands by
            self._fresh = False
            return 0.0
        return min(self._pace.wait, PAUSED_WAIT) if paused else self._pace.wait

    async def _holds(self, batch: Batch) -> bool:
        """Whether the events in hand are for this agent. Raises LeaseLost where an older lease must be settled first."""
        for ask in batch.asks:
            task = asyncio.ensure_future(self._answer(ask, batch))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        await self._lease.follow(batch)
        last = self._lease.stored
        for sealed in batch.messages:
            if sealed.seq <= last:
                raise tampered("its events are not in order")
            last = sealed.seq
        return batch.epoch != 0

    async def _land(self, batch: Batch) -> None:
        landed = await self._judge.landed(batch)
        try:
            await self._dock.put(self._proxy, batch.incarnation, batch.epoch, landed)
        except StoreUnavailable as error:
            if error.code != "store_row_failed":
                raise
            landed = await self._land_each(batch, landed)
        self._landed(landed)
        self._lease.note_stored(batch.messages[-1].seq, batch.messages[-1].id, epoch=batch.epoch)

    async def _land_each(self, batch: Batch, landed: list[Landed]) -> list[Landed]:
        """One of them cannot be stored as it is: it is kept sealed, and takes no other with it."""
        sealed = {one.seq: one for one in batch.messages}
        stored = []
        for one in landed:
            for attempt in (one, replace(one, arrival=unreadable(sealed[one.seq]))):
                try:
                    await self._dock.put(self._proxy, batch.incarnation, batch.epoch, [attempt])
                except StoreUnavailable as error:
                    if error.code != "store_row_failed" or attempt is not one:
                        raise
                    continue
                stored.append(attempt)
                break
        return stored

    async def _answer(self, ask: Ask, batch: Batch) -> None:
        try:
            async with asyncio.timeout(ask.seconds):
                await self._remote.reply(await self._judge.reply(ask, batch.keys))
        except (RemoteError, TimeoutError) as error:
            log.warning("ask_unanswered", why=str(error))

    async def _take_room(self, size: int) -> None:
        """Wait until a batch of that size may be in memory, sealed and opened."""
        share = min(2 * size, self._budget.limit) - sum(self._claims)
        if share <= 0:
            return
        if not await self._budget.take(share, ROOM_PATIENCE):
            raise StoreUnavailable("busy", 5)
        self._claims.append(share)

    def _give_room(self) -> None:
        while self._claims:
            self._budget.give(self._claims.pop())

    async def _how_settled(self) -> tuple[int, int]:
        now = self._clock.steady()
        if self._settled_at is None or now - self._settled_at >= LOOK_AT_SETTLED:
            self._settled = await self._dock.settled(self._proxy, self._lease.incarnation)
            self._settled_at = now
        return self._settled

    def _note_answer(self, batch: Batch, paused: str) -> None:
        standing = self.standing
        standing.answered(batch, paused=paused, now=self._clock.now())
        self._told(replace(batch, messages=(), keys={}, asks=()))

    def _note(self, error: Exception) -> float:
        """Say what is wrong; how many seconds to rest."""
        self.standing.failed(error)
        if isinstance(error, Revoked):
            return self._pace.rest(at_least=HOPELESS_REST)
        if isinstance(error, NotAuthorized):
            return self._pace.rest(at_least=MOST_REST)
        if isinstance(error, StoreUnavailable):
            self._blocked = error.code
            return self._pace.rest(at_least=STORE_REST)
        return self._pace.rest(at_least=min(error.retry_after, MOST_REST) if isinstance(error, ProxyBusy) else 0.0)

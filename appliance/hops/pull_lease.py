"""The lease of an agent at a proxy: what was stored under it, and whether it may run."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from appliance.hops.pull_standing import PullStanding
from store.dock import Dock
from store.remote_errors import RemoteError
from touchpoints.pull.message import Acknowledged, Batch

log = structlog.get_logger()

KEEP_EVERY = 20.0  # seconds between signs of life while a long answer comes: a third of a lease


class LeaseLost(Exception):
    """The lease is another now: what lies under the old one is settled before anything else."""


class LeasePlace(Protocol):
    """The proxy, for acknowledgements."""

    async def acknowledge(
        self, incarnation: str, epoch: int, *, to: int, event_id: str = "", seconds: float = 30.0
    ) -> Acknowledged:
        """Everything up to `to`, the number of `event_id`, stored under `epoch`, is safe here."""

    async def release(self, epoch: int, *, seconds: float = 30.0) -> None:
        """Another agent may take over at once."""


class Acknowledging:
    """Acknowledges what is stored, at once and beside the pull that waits already, and lets run what was accepted.

    Nothing runs before the proxy accepted its acknowledgement: until then another agent may have been given it.
    """

    def __init__(
        self, *, remote: LeasePlace, dock: Dock, proxy: str, released: Callable[[int], None], standing: PullStanding
    ) -> None:
        self.incarnation = ""
        self.epoch = 0  # 0: none
        self.stored = 0  # the highest number stored under it; before anything is, the acknowledged position
        self.seen = 0  # the highest ever stored of this incarnation
        self.seen_id = ""  # its event's
        self._stored_id = ""  # the event's of `stored`; empty: nothing was stored under it yet
        self._acknowledged = 0
        self._remote = remote
        self._dock = dock
        self._proxy = proxy
        self._released = released
        self._standing = standing
        self._more = asyncio.Event()

    async def follow(self, batch: Batch) -> None:
        """Take up what an answer says of the lease. Raises LeaseLost where an older one must be settled first."""
        same = batch.epoch == self.epoch
        restored = bool(self.incarnation) and batch.incarnation != self.incarnation
        if batch.incarnation != self.incarnation:
            self.seen, self.seen_id = await self._dock.seen(self._proxy, batch.incarnation)
            self.incarnation, same = batch.incarnation, not (batch.epoch or self.epoch or restored)
        if same:
            return
        lost, self.epoch = self.epoch, batch.epoch
        self.stored, self._stored_id = batch.acknowledged, ""
        self._acknowledged = batch.acknowledged
        if batch.epoch:
            self._standing.leased(seen=self.seen, acknowledged=batch.acknowledged)
        if lost or restored:  # what was stored of another incarnation is asked for at once, too
            log.info("lease_changed", old=lost, new=batch.epoch, holder=batch.holder)
            raise LeaseLost

    def note_stored(self, number: int, event_id: str, *, epoch: int) -> None:
        """Everything up to this event's number is on disk, under that lease."""
        if number >= self.seen:
            self.seen, self.seen_id = number, event_id
        if epoch == self.epoch and number >= self.stored:
            self.stored, self._stored_id = number, event_id
            self._more.set()

    async def run(self) -> None:
        """Acknowledge whatever is stored, until cancelled. Raises RemoteError, StoreUnavailable and LeaseLost."""
        while True:
            await self._more.wait()
            self._more.clear()
            if self.epoch and self.stored > self._acknowledged:
                to = self.stored
                await self._acknowledge(self.incarnation, self.epoch, to, self._stored_id)
                self._acknowledged = max(self._acknowledged, to)

    async def keep(self, begun: asyncio.Event) -> None:
        """Keep the lease from the moment on that an answer began to come, until cancelled: over a slow line one event may take
        longer to come than a lease lasts. That it comes at all, and for how long it may, is the session's to say.

        Raises StoreUnavailable and LeaseLost: then what is coming is not for this agent.
        """
        await begun.wait()
        while True:
            await asyncio.sleep(KEEP_EVERY)
            if self.epoch:
                with suppress(RemoteError):  # the answer that comes may be whole all the same
                    await self._acknowledge(self.incarnation, self.epoch, self._acknowledged, "")

    async def settle_berths(self) -> None:
        """Ask for the fate of everything that is stored and not released. Raises RemoteError and StoreUnavailable.

        It is what a restarted agent begins with, and what follows on an answer that was lost.
        """
        if not self.incarnation and (known := await self._dock.incarnation(self._proxy)):
            self.incarnation = known
            self.seen, self.seen_id = await self._dock.seen(self._proxy, known)
        for berth in await self._dock.berths():
            if berth.proxy != self._proxy:
                continue
            try:
                await self._acknowledge(berth.incarnation, berth.epoch, berth.stored, berth.last_id)
            except LeaseLost:
                continue
            if (berth.incarnation, berth.epoch) == (self.incarnation, self.epoch):
                self._acknowledged = max(self._acknowledged, berth.stored)
                self.stored, self._stored_id = max((self.stored, self._stored_id), (berth.stored, berth.last_id))

    async def _acknowledge(self, incarnation: str, epoch: int, to: int, event_id: str) -> None:
        answer = await self._remote.acknowledge(incarnation, epoch, to=to, event_id=event_id)
        if answer.accepted or not answer.known:
            # A restored proxy that knows nothing of them cannot have given them to anybody else.
            if not answer.known:
                log.warning("proxy_restored", incarnation=answer.incarnation, released_to=to)
                self._standing.proxy_restored = True
            await self._release(incarnation, epoch, min(answer.position, to) if answer.accepted else to)
            return
        log.warning("lease_lost", epoch=epoch, position=answer.position)
        await self._release(incarnation, epoch, answer.position)
        dropped = await self._dock.drop(self._proxy, incarnation, epoch)
        log.info("dropped", events=dropped)
        if (incarnation, epoch) == (self.incarnation, self.epoch):
            self.epoch = self.stored = self._acknowledged = 0
        raise LeaseLost

    async def _release(self, incarnation: str, epoch: int, to: int) -> None:
        released = await self._dock.release(self._proxy, incarnation, epoch, to=to)
        if released:
            self._released(released)

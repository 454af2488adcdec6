"""The queue of a hosted proxy: sealed events of many organisations, each in order of receipt, pulled by their agents.

An inbox whose reader is remote. Organisation comes first in every call: nothing of one is ever reached through another.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from touchpoints.moment import Micros
from touchpoints.pull.message import Acknowledged, Backlog, Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A sealed event on its way into the queue, before it has a number."""

    organisation: int
    endpoint: int  # the endpoint's id, for its counters; 0: unknown
    id: str
    received_at: Micros
    key_id: str
    digest: bytes  # SHA-256 of `data`
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much may wait for one organisation."""

    events: int
    bytes: int


class QuotaReached(Exception):
    """The organisation's backlog is full; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may pull an organisation's events, and how its lane stands. Epochs only ever grow, over restarts and restores too."""

    incarnation: str
    agent: str  # its id; empty: nobody holds it
    epoch: int  # of the holder, else the last one
    seconds: float  # how long it still lasts
    acknowledged: int  # position
    next_seq: int
    gap: tuple[int, int] | None = None  # first and last seq that the last restore lost
    backlog: Backlog = field(default_factory=Backlog)  # what waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull found: messages, the wrapped data keys they need, and whether more waits."""

    messages: tuple[Sealed, ...]
    keys: Mapping[str, bytes]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """Events that an agent acknowledged and did not report as settled."""

    agent: str
    events: int
    first: int  # seq
    last: int


LEASE: Micros = 60_000_000
# Numbers and epochs that a proxy passes over where its whole file was put back: more than months of one organisation at the
# full speed of a proxy.
LEAP = 100_000_000_000


class Queue(Protocol):
    """A durable queue for many organisations. Raises StoreUnavailable when it could not commit; times are the caller's.

    `now` is wall time, by which ages are judged; `steady` is a clock that never jumps, by which leases are. In `lease` and
    `lease_of` there is only the steady one, and it is called `now`.
    """

    async def put(self, parcel: Parcel, quota: Quota) -> None:
        """Store an event: numbered, counted against the quota in the same transaction; returns after the commit is on disk.

        - Concurrent puts, of whatever organisations, share one commit. Idempotent by (organisation, id).
        - The data key named by `key_id` must have been stored by `put_key` before.
        - Raises QuotaReached, which never takes another organisation's put with it.
        """

    async def put_key(self, organisation: int, key_id: str, wrapped: bytes, *, now: Micros) -> None:
        """Keep a data key, wrapped for the organisation's agents. Idempotent."""

    async def lease(self, organisation: int, agent: str, *, epoch: int, now: Micros, renew: bool = True) -> Lease:
        """Take the lease where it is free or expired (a new epoch), renew it where `agent` holds `epoch`, else tell who has it.
        Without `renew` one that `agent` holds lasts no longer by it: nothing was heard of the agent.

        A renewal need not be written to the disk: after a restart of the proxy the holder has the whole span again.
        A holder that comes with another epoch than its own (it was restarted or restored) gets a new epoch.
        """

    async def lease_of(self, organisation: int, *, now: Micros) -> Lease:
        """Who holds the lease, without taking or renewing it; the lane as at the last look.

        Costs no read from the disk once the lane is known.
        """

    async def release(self, organisation: int, agent: str, *, epoch: int) -> None:
        """Give the lease back, so that another takes over at once. Without effect for who does not hold it."""

    async def pull(self, organisation: int, *, after: int, limit: int, max_bytes: int) -> Pulled:
        """Messages after a position, in order; never one that was acknowledged (see `seek`). At least one when any
        waits, however large it is. Writes nothing.

        Costs the same however much any organisation has waiting.
        """

    async def fits(self, organisation: int, agent: str, *, seen: int, seen_id: str) -> bool:
        """Whether what an agent says to have seen fits this lane; False: `seen` is another event's here, so that the lane was
        restored, and has gone on since. Looked up once for each agent, since only a start can bring another file.
        """

    async def acknowledge(
        self,
        organisation: int,
        agent: str,
        *,
        incarnation: str,
        epoch: int,
        to: int,
        event_id: str = "",
        now: Micros,
        steady: Micros,
    ) -> Acknowledged:
        """Move the acknowledged position up to `to` (never beyond what has a number, never back) if `epoch` holds the lease.

        Otherwise the answer carries the final position of that epoch; it is not known where a restore lost what came of it:
        also where `to` was never given here, or to another event than `event_id` (empty: the agent does not say). Returns
        after the commit is on disk.
        """

    async def settled(self, organisation: int, agent: str, *, settled: int, unsettled: int, now: Micros) -> None:
        """An agent reports how far it has settled. Need not be written at once."""

    async def unsettled(self, organisation: int) -> Sequence[Unsettled]:
        """What each agent acknowledged and did not report as settled."""

    async def take_over(self, organisation: int, agent: str, *, now: Micros, steady: Micros) -> int:
        """Queue again what `agent` acknowledged and did not settle, under new numbers and the same ids; how many.

        Only for a person who knows that they may run twice. Raises ProblemError(agent_holds_lease) while it holds the lease.
        """

    async def seek(self, organisation: int, *, to: int, now: Micros) -> int:
        """Queue again what was acknowledged after position `to` and is still kept; how many."""

    async def backlog(self, organisation: int) -> Backlog:
        """What waits, counted without a scan."""

    async def backlogs(self) -> Mapping[int, Backlog]:
        """Of every organisation that has something waiting."""

    async def reincarnate(self, organisation: int, incarnation: str, *, beyond: int, now: Micros) -> None:
        """An organisation's lane was restored from an older state: a new incarnation (each lane has its own, so that an agent
        that lies harms only its own organisation), its lease ends, and numbers go on beyond both `beyond`, the highest seq
        an agent has seen, and its own; what waits goes on with them where it had a number that was used before. The skipped
        numbers are the lane's `gap`. `beyond` may lie at most 2**40 ahead.
        """

    async def reincarnate_all(self, new_incarnation: Callable[[], str], *, now: Micros) -> None:
        """The whole file was put back from a backup: every lane as by `reincarnate`, with a leap of LEAP numbers."""

    async def expire(self, *, before: Micros, acknowledged_before: Micros, limit: int) -> Mapping[int, int]:
        """Remove what waited past its age and what was acknowledged long ago, `limit` events a transaction, and give the space
        back; how many *waiting* ones went, by organisation (a person must be told).

        A gap of a restore from before `before` is told no more, and ended leases that nobody can ask about are forgotten.
        """

    def export(self, organisation: int) -> AsyncIterator[Pulled]:
        """Everything that is kept of an organisation, sealed, in order, with the keys it needs; bounded memory."""

    async def erase(self, organisation: int) -> None:
        """Remove everything of an organisation, its numbers excepted."""

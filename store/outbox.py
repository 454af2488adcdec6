"""The outbox: deliveries not yet settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from touchpoints.attempt import Attempt
from touchpoints.delivery import Delivery, DeliveryState, Job
from touchpoints.event import Arrival
from touchpoints.moment import Micros
from touchpoints.plan import Planned
from touchpoints.retry import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a split event: an accepted event of its own, and what `touchpoints.plan` decided for it."""

    arrival: Arrival
    planned: Planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `touchpoints.plan` decided for one waiting event."""

    seq: int  # of the waiting event
    deliveries: tuple[Delivery, ...] = ()
    filtered: bool = False
    dedup_key: str | None = None  # claimed in the plan's transaction
    dedup_since: Micros = 0  # claims older than this do not count
    dedup_hash: bytes | None = None  # where the key is not signed: a claim with another body hash is a new, flagged event
    items: tuple[Item, ...] | None = None  # the event is split into these, and nothing else of the plan counts


def plan_of(seq: int, planned: Planned) -> Plan:
    """The plan of one event that is not split."""
    return Plan(
        seq=seq,
        deliveries=planned.deliveries,
        filtered=planned.filtered,
        dedup_key=planned.dedup_key,
        dedup_since=planned.dedup_since,
        dedup_hash=planned.dedup_hash,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an attempt came to: the attempt, and the delivery's next state."""

    seq: int  # of the delivery
    attempt: Attempt
    state: DeliveryState
    due_at: Micros = 0  # when pending: the next attempt
    counts: bool = True  # against the retry schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The earliest pending delivery of a destination."""

    due_at: Micros
    body_bytes: int


class Outbox(Protocol):
    """A durable queue of deliveries, one lane for each destination."""

    async def plan(self, plans: Sequence[Plan]) -> None:
        """Move events from inbox to outbox in one transaction.

        - A plan whose dedup key is already claimed makes the event a duplicate of the claimant: no deliveries, a link to it.
        - A claim with another body hash, where a plan carries one, is no duplicate: the event is flagged `same_id_other_body`.
        - A split event is settled as such, and its items are stored and planned in its place, as events linked to it. It
          claims no key; they claim theirs, in order.
        - A plan for an event that no longer waits changes nothing (so that a repeat is harmless).
        - Raises StoreUnavailable when it could not commit; then nothing has moved.
        """

    async def claim(
        self, destination: int, *, now: Micros, limit: int, max_bytes: int, skip: Collection[int] = ()
    ) -> Sequence[Job]:
        """Up to `limit` due deliveries of one destination, by due time and then order of receipt, without those in `skip`.

        - Bodies stay within `max_bytes` together; nothing when the first due one alone is larger (see `next_due`).
        - Costs the same however many deliveries wait for this or any other destination.
        - Writes nothing: the caller holds what it claimed in memory, and a crash only repeats an attempt.
        """

    async def next_due(self, destination: int, *, skip: Collection[int] = ()) -> Next | None:
        """The earliest pending delivery of a destination; None when none waits."""

    async def settle(self, settlements: Sequence[Settlement], health: Health | None = None) -> None:
        """Record attempts and next states, and a destination's health where given, in one transaction.

        A delivery that a person settled meanwhile keeps that state; the attempt is still recorded.
        """

    async def health(self) -> Sequence[Health]:
        """Every destination's kept health."""

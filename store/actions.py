"""What a person does to events and deliveries. Every action takes a filter, can be tried dry, and says what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.log import Filter
from touchpoints.delivery import Delivery
from touchpoints.event import Event, Verdict
from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an action did, or would do."""

    matched: int  # what the filter names
    changed: int  # what was (or would be) changed
    skipped: int = 0  # matched, but not in a state the action applies to
    ids: tuple[str, ...] = ()  # the first hundred changed
    more: bool = False  # the filter matches more than one call changes (5,000): call again


class Actions(Protocol):
    """Deeds on stored events. Each runs in bounded transactions and never moves anything out of `delivered`."""

    async def hold(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """Pending deliveries wait until released."""

    async def release(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """Held deliveries become pending and due now."""

    async def retry_now(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """Pending deliveries become due now."""

    async def give_up(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """Pending and held deliveries wait for a person."""

    async def dismiss(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """Given-up and held deliveries are settled without delivery; refused events leave "needs you"."""

    async def replayable(
        self, which: Filter, *, limit: int, after: int = 0
    ) -> Sequence[tuple[int, Event, tuple[Delivery, ...]]]:
        """(seq, event, its deliveries) of events whose body is still stored, in order of receipt, to be planned anew."""

    async def count_replayable(self, which: Filter) -> Mapping[tuple[int, Verdict], int]:
        """How many `replayable` would give in all, by touchpoint and verdict."""

    async def refused(self, which: Filter, *, limit: int, after: int = 0) -> Sequence[tuple[int, Event, bytes]]:
        """(seq, event, body) of refused events kept whole, for the caller to verify again."""

    async def add_run(self, seq: int, deliveries: Sequence[Delivery]) -> None:
        """Add the deliveries of a new run of an event to the outbox. Idempotent by delivery id."""

    async def accept(self, seq: int, event: Event) -> None:
        """A refused event verified after all (`event` carries its new type, key and reference): into the inbox, once."""

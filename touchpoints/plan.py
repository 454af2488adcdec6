"""Planning: which deliveries an event becomes."""

from dataclasses import dataclass

from touchpoints.delivery import Delivery, DeliveryState, delivery_id
from touchpoints.event import Event
from touchpoints.moment import Micros
from touchpoints.touchpoint import Touchpoint, TouchpointState


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What planning one verified event came to; the fields are those of the store's plan."""

    deliveries: tuple[Delivery, ...] = ()
    filtered: bool = False
    dedup_key: str | None = None
    dedup_since: Micros = 0
    dedup_hash: bytes | None = None


def plan(event: Event, touchpoint: Touchpoint, now: Micros, *, deliver_test: bool = False) -> Planned:
    """One delivery for each destination, due now, held while the touchpoint is on hold.

    - An event whose type isn't among the touchpoint's `events` is filtered and claims no dedup key.
    - A test event becomes nothing unless `deliver_test`, and never claims a key.
    """
    if event.test:
        return Planned(deliveries=replan(event, touchpoint, 1, now) if deliver_test else ())
    if not wants(touchpoint, event.event_type):
        return Planned(filtered=True)
    return Planned(
        deliveries=replan(event, touchpoint, 1, now),
        dedup_key=event.dedup_key,
        dedup_since=now - touchpoint.dedup.window,
        dedup_hash=None if event.id_signed else event.body_hash,
    )


def replan(event: Event, touchpoint: Touchpoint, run: int, now: Micros) -> tuple[Delivery, ...]:
    """The deliveries of one run of an event to every destination, whatever its type: a person may replay what was filtered."""
    held = touchpoint.state is TouchpointState.HOLD
    return tuple(
        Delivery(
            id=delivery_id(event.id, destination.name, run),
            event_id=event.id,
            touchpoint=touchpoint.id,
            destination=destination.id,
            run=run,
            state=DeliveryState.HELD if held else DeliveryState.PENDING,
            due_at=now,
        )
        for destination in touchpoint.destinations
    )


def wants(touchpoint: Touchpoint, event_type: str) -> bool:
    """Whether a type is among the touchpoint's `events`: exactly, or by the beginning before a final `*`; none means all."""
    return not touchpoint.events or any(
        event_type.startswith(wanted[:-1]) if wanted.endswith("*") else event_type == wanted for wanted in touchpoint.events
    )

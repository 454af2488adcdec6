"""Splitting: the plans of events whose body may carry several."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from store.inbox import Inbox, Waiting
from store.outbox import Item, Plan, plan_of
from touchpoints.event import Arrival, Event
from touchpoints.moment import Micros
from touchpoints.plan import plan
from touchpoints.split import items_of
from touchpoints.touchpoint import Touchpoint

# Planned in one transaction, so that what arrives meanwhile hardly waits. A single event may be larger.
MOST_ITEMS, MOST_BYTES = 1_000, 4 * 1024 * 1024
LARGE = 8 * 1024  # from here a body is split in a thread: each item costs some 50 µs


def splits(event: Event, touchpoint: Touchpoint) -> bool:
    """Whether an event's body is to be looked into; a test event is one item already."""
    return touchpoint.split is not None and not event.test


async def split_plans(
    waiting: Iterable[tuple[Waiting, Touchpoint]], inbox: Inbox, *, now: Micros
) -> AsyncIterator[Sequence[Plan]]:
    """Plans of waiting events, in order, as many at once as one transaction should hold."""
    plans: list[Plan] = []
    items = size = 0
    for one, touchpoint in waiting:
        plans.append(await _plan(one, touchpoint, inbox, now))
        items += len(plans[-1].items or ())
        size += one.event.body_bytes
        if items >= MOST_ITEMS or size >= MOST_BYTES:
            yield plans
            plans, items, size = [], 0, 0
    if plans:
        yield plans


async def _plan(waiting: Waiting, touchpoint: Touchpoint, inbox: Inbox, now: Micros) -> Plan:
    body = await inbox.body(waiting.seq)
    if len(body) > LARGE:
        return await asyncio.to_thread(_plan_of_body, waiting, body, touchpoint, now)
    return _plan_of_body(waiting, body, touchpoint, now)


def _plan_of_body(waiting: Waiting, body: bytes, touchpoint: Touchpoint, now: Micros) -> Plan:
    event = waiting.event
    # A body that isn't whole is never split: its delivery then says what is wrong.
    items = items_of(event, body, touchpoint) if len(body) == event.body_bytes else None
    if items is None:
        return plan_of(waiting.seq, plan(event, touchpoint, now))
    return Plan(seq=waiting.seq, items=tuple(_item(arrival, touchpoint, now) for arrival in items))


def _item(arrival: Arrival, touchpoint: Touchpoint, now: Micros) -> Item:
    return Item(arrival=arrival, planned=plan(arrival.event, touchpoint, now))

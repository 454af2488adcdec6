"""Planning deliveries."""

from dataclasses import replace

import pytest

from tests.touchpoints.factory import NOW, make_touchpoint
from touchpoints.delivery import DeliveryState, delivery_id
from touchpoints.event import ArrivedBy, Event, Verdict
from touchpoints.moment import DAY
from touchpoints.plan import Planned, plan, replan
from touchpoints.touchpoint import FolderDestination, HttpDestination, Touchpoint, TouchpointState

DESTINATIONS = (
    HttpDestination(id=1, name="erp", url="http://127.0.0.1:9000/"),
    FolderDestination(id=2, name="in", path="/srv/in"),
)
EVENT = Event(
    id="01JD0000000000000000000000",
    touchpoint=7,
    received_at=NOW - 5,
    arrived_by=ArrivedBy.DIRECT,
    verdict=Verdict.ACCEPTED,
    method="POST",
    target="/hooks/orders",
    headers=(),
    remote="192.0.2.1",
    event_type="orders/create",
    dedup_key="7:abc",
    body_bytes=2,
    body_hash=b"h" * 32,
)


def orders(**fields: object) -> Touchpoint:
    """A touchpoint with two destinations."""
    return make_touchpoint("shopify", "secret", destinations=DESTINATIONS, **fields)


def test_one_delivery_for_each_destination() -> None:
    """Due now, under ids that stay the same however often it is planned."""
    planned = plan(EVENT, orders(), NOW)

    assert [(one.id, one.destination, one.state, one.due_at, one.run) for one in planned.deliveries] == [
        (delivery_id(EVENT.id, "erp", 1), 1, DeliveryState.PENDING, NOW, 1),
        (delivery_id(EVENT.id, "in", 1), 2, DeliveryState.PENDING, NOW, 1),
    ]
    assert (planned.filtered, planned.dedup_key, planned.dedup_since, planned.dedup_hash) == (
        False,
        "7:abc",
        NOW - 14 * DAY,
        None,
    )


def test_a_key_outside_the_signature_is_claimed_with_the_body() -> None:
    """So that the same id with another body is a new event."""
    assert plan(replace(EVENT, id_signed=False), orders(), NOW).dedup_hash == EVENT.body_hash


def test_on_hold_deliveries_wait() -> None:
    """They are planned and held."""
    planned = plan(EVENT, orders(state=TouchpointState.HOLD), NOW)

    assert {one.state for one in planned.deliveries} == {DeliveryState.HELD}


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ((), True),
        (("orders/create",), True),
        (("orders/*",), True),
        (("*",), True),
        (("stock", "orders/cr*"), True),
        (("orders/paid",), False),
        (("orders",), False),
        (("Orders/Create",), False),
        (("*/create",), False),
        (("orders/[a-z]*",), False),
    ],
)
def test_events_are_filtered_by_type(events: tuple[str, ...], wanted: bool) -> None:
    """Exact words or a beginning before a final *; a filtered event claims no key."""
    planned = plan(EVENT, orders(events=events), NOW)

    assert planned.filtered is not wanted
    assert bool(planned.deliveries) is wanted


def test_a_test_event_stops_before_the_outbox_unless_asked() -> None:
    """It never claims a key, nor is it filtered."""
    event = replace(EVENT, test=True)

    assert plan(event, orders(), NOW) == Planned()
    sent = plan(event, orders(events=("other",)), NOW, deliver_test=True)
    assert (len(sent.deliveries), sent.filtered, sent.dedup_key) == (2, False, None)


def test_a_replay_is_a_new_run() -> None:
    """Other delivery ids, so that a receiver does not take it for a repeat; a filtered type is no hindrance."""
    again = replan(EVENT, orders(events=("other",)), 2, NOW + 1)

    assert [one.id for one in again] == [delivery_id(EVENT.id, "erp", 2), delivery_id(EVENT.id, "in", 2)]
    assert {one.run for one in again} == {2}

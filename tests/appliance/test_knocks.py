"""Knocks: the last of each touchpoint, bounded, and without what a stranger may make long."""

from dataclasses import replace

from appliance.knocks import Knocks
from tests.touchpoints.factory import NOW, make_request, make_touchpoint

ORDERS = make_touchpoint("shopify", "hush")


def test_the_last_one_counts() -> None:
    """When, how, from where, and what it was answered."""
    knocks = Knocks()
    assert knocks.of(ORDERS.id) is None
    knocks.note(ORDERS, make_request(method="HEAD"), 200)
    knocks.note(ORDERS, make_request(method="X" * 99), 405)
    assert knocks.of(ORDERS.id) == {"at": NOW, "method": "X" * 20, "remote": "192.0.2.1", "status": 405}
    assert knocks.of(ORDERS.id + 1) is None


def test_no_number_of_touchpoints_fills_the_memory() -> None:
    """More than there can be at once are forgotten."""
    knocks = Knocks()
    for number in range(3000):
        knocks.note(replace(ORDERS, id=number), make_request(), 200)
    assert knocks.of(2999) is not None
    assert knocks.of(0) is None

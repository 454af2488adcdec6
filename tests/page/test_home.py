"""The home screen: the road, what needs a person, the chart, the latest."""

from typing import Any

import pytest

from store.statistics import Figures
from tests.web.api.stand_in import NOW, StandIn, delivery, event
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import HOUR, MINUTE
from web.membership import Standing
from web.page.need import needs_shown
from web.page.road import road
from web.vitals import Vitals

pytestmark = pytest.mark.anyio

BACKLOG = {"inbox": 0, "outbox": 0, "held": 0, "oldest_seconds": None}


def status(**changes: Any) -> dict[str, Any]:
    plain = {
        "mode": "direct",
        "direct": {"state": "up", "address": "0.0.0.0:8420", "url": None, "error": None},
        "proxy": {"state": "off", "domain": None},
        "backlog": BACKLOG,
        "needs_you": [],
    }
    return {**plain, **changes}


def touchpoint(name: str = "orders", *, to: str = "erp", state_to: str = "up", pending: int = 0) -> dict[str, Any]:
    destination = {"name": to, "kind": "http", "state": state_to, "pending": pending, "given_up": 0}
    return {"name": name, "provider": "shopify", "state": "running", "destinations": [destination]}


def test_the_road_has_six_stops_in_the_order_of_travel() -> None:
    """Whoever reads it from left to right has understood the product."""
    stops = road(status(), [touchpoint()], Vitals(direct="up", direct_url="https://hooks.example:8420"), Standing())
    assert [stop.name for stop in stops] == ["senders", "arrive", "inbox", "touchpoints", "outbox", "destinations"]
    assert stops[1].ways[0].aside == "hooks.example:8420"
    assert [stop.tone for stop in stops] == [""] * 6


def test_a_destination_that_is_down_stands_first_and_calls_for_a_person() -> None:
    """The stop turns, and the bad way is named before the good ones, however many there are."""
    fine = [touchpoint(f"t{number}") for number in range(5)]
    stop = road(status(), [*fine, touchpoint("last", to="ledger", state_to="down", pending=1200)], Vitals(), Standing())[-1]
    assert stop.tone == "bad"
    assert (stop.ways[0].name, stop.ways[0].state, stop.ways[0].aside) == ("ledger", "down", "1,200 waiting")
    assert stop.more == 4


def test_a_listener_that_cannot_be_reached_says_why() -> None:
    """The reason stands where the address would."""
    stop = road(status(), [], Vitals(direct="down", direct_error="Port 8420 is taken."), Standing())[1]
    assert (stop.tone, stop.ways[0].aside) == ("bad", "Port 8420 is taken.")


def test_nothing_chosen_and_nothing_readable_are_said() -> None:
    """Before the first choice, and while the events file cannot be read."""
    stops = road(status(mode=None, backlog=dict.fromkeys(BACKLOG)), [], Vitals(), Standing())
    assert stops[1].ways[0].name == "not chosen yet"
    assert [stops[2].tone, stops[4].tone] == ["bad", "bad"]


def test_the_outbox_tells_what_its_oldest_waits() -> None:
    """Age says more than number; what is on hold is told when nothing else waits."""
    assert (
        road(status(backlog={**BACKLOG, "outbox": 12, "oldest_seconds": 240}), [], Vitals(), Standing())[4].aside
        == "oldest 4 min"
    )
    assert road(status(backlog={**BACKLOG, "held": 3}), [], Vitals(), Standing())[4].aside == "3 on hold"


def test_grave_needs_stand_first_and_lead_to_the_deed() -> None:
    """Each need leads to what waits and to what mends it."""
    need = {"count": 12, "text": "A. B.", "mend": "B.", "touchpoint": "orders", "destination": "erp"}
    shown = needs_shown(status(needs_you=[{**need, "code": "refused_events"}, {**need, "code": "destination_down"}]))
    assert [one.mild for one in shown] == [False, True]
    assert shown[0].text == "A."
    assert shown[0].deed == ("Try now", "/events/act/retry?touchpoint=orders&destination=erp&state=pending")
    assert shown[1].text == "12 requests to orders were refused."


async def test_a_quiet_day_says_so(stand_in: StandIn) -> None:
    """Nothing to do is good news."""
    async with stand_in.signed_in() as client:
        page = (await client.get("/")).text
    assert "Nothing needs you." in page
    assert "No event yet" in page


async def test_the_latest_show_state_and_what_happened(stand_in: StandIn) -> None:
    """A stranger's words are text, whatever they hold."""
    one = event(1, event_type="<img src=x>", reference="1042")
    stand_in.log.keep(one, b"{}", delivery(one, DeliveryState.GIVEN_UP))
    stand_in.log.keep(event(2, verdict=Verdict.REFUSED, reason="signature_wrong"), b"{}")
    async with stand_in.signed_in() as client:
        page = (await client.get("/")).text
    assert "&lt;img src=x&gt;" in page
    assert "<img" not in page
    assert "given up" in page
    assert "The signature does not fit the body and the secret." in page


async def test_the_home_screen_stands_while_the_events_file_cannot_be_used(stand_in: StandIn) -> None:
    """It is where a person looks first when something is wrong."""
    stand_in.broken = "store_corrupt"
    async with stand_in.signed_in() as client:
        assert (await client.get("/")).status_code == 200


async def test_the_chart_is_columns_for_a_period(stand_in: StandIn) -> None:
    """Seconds, counts, and times in milliseconds; a gap where nothing was delivered."""
    figures = Figures(received=3, delivered=2, failed=1)
    figures.latencies[50] = 2
    stand_in.statistics.spans_ = [(NOW - HOUR, figures), (NOW - HOUR + MINUTE, Figures())]
    async with stand_in.signed_in() as client:
        columns = (await client.get("/live/chart.json?period=day")).json()["columns"]
        assert (await client.get("/live/chart.json?period=year")).status_code == 400
    assert columns[1:4] == [[3, 0], [2, 0], [1, 0]]
    assert columns[4][0] > 0
    assert columns[4][1] is None

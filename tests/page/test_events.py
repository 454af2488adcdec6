"""The events screen."""

from pathlib import Path

import pytest

from tests.web.api.stand_in import StandIn, delivery, event

pytestmark = pytest.mark.anyio


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    made = StandIn(spool=tmp_path)
    for number in range(1, 61):
        made.log.keep(event(number), b"{}", delivery(event(number)))
    return made


async def test_a_list_is_paged_and_filtered(stand_in: StandIn) -> None:
    """Newest first, older ones behind a link that keeps the filters."""
    async with stand_in.signed_in() as client:
        page = (await client.get("/events?state=pending&reference=")).text
        assert page.count("<tr data-row ") == 50
        assert "/events?state=pending&amp;before=11" in page
        assert (await client.get("/events?before=11")).text.count("<tr data-row ") == 10
        wrong = await client.get("/events?since=yesterdayish")
    assert wrong.status_code == 400
    assert "yesterdayish" in wrong.text
    assert stand_in.log.asked[0].state == "pending"


async def test_new_events_wait_behind_a_pill(stand_in: StandIn) -> None:
    """It says how many came."""
    async with stand_in.signed_in() as client:
        assert "3 new" in (await client.get("/events/new?after=57")).text
        assert (await client.get("/events/new?after=60")).text.strip() == ""

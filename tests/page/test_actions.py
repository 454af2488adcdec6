"""Deeds: said first, done once, said after."""

import re
from pathlib import Path

import pytest

from tests.web.api.stand_in import NOW, StandIn, event
from touchpoints.moment import rfc3339

pytestmark = pytest.mark.anyio


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(spool=tmp_path)


def fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html.partition('class="consequence')[2]))


@pytest.mark.parametrize("action", ["retry", "hold", "release", "give_up", "dismiss", "replay", "verify", "run_duplicate"])
async def test_every_deed_is_said_done_once_and_said(stand_in: StandIn, action: str) -> None:
    """The first answer changes nothing; a second click neither; the person's name reaches the audit."""
    async with stand_in.signed_in() as client:
        page = await client.get(f"/events/act/{action}", params={"state": "held", "since": "24h"})
        assert [call[3] for call in stand_in.control.calls] == [True]
        form = fields(page.text)
        assert form["until"] == rfc3339(NOW)
        done = await client.post(f"/events/act/{action}", data=form)
        after = await client.get(done.headers["location"])
        again = await client.post(f"/events/act/{action}", data=form)
    assert done.status_code == 303
    assert again.status_code == 200
    assert [call[3] for call in stand_in.control.calls] == [True, False, True]
    assert stand_in.control.calls[1][4].name == "ann"
    assert 'class="notice is-good"' in after.text


async def test_a_deed_goes_back_to_pages_of_ours_alone(stand_in: StandIn) -> None:
    """A forged way back leads home; a deed nobody knows is not there."""
    async with stand_in.signed_in() as client:
        form = fields((await client.get(f"/events/act/hold?id={event(1).id}")).text)
        assert form["back"] == f"/events/{event(1).id}"
        answer = await client.post("/events/act/hold", data=form | {"back": "//evil.example"})
        assert answer.headers["location"] == "/"
        assert (await client.get("/events/act/erase")).status_code == 404

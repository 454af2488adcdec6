"""The search."""

import re
from pathlib import Path

import pytest

from store.people import Scope
from tests.web.api.stand_in import NOW, StandIn, event

pytestmark = pytest.mark.anyio


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    made = StandIn(spool=tmp_path)
    for number in range(1, 4):
        made.log.keep(event(number), b"needle" if number == 1 else b"hay")
    return made


async def test_one_text_finds_a_number_and_opens_it(stand_in: StandIn) -> None:
    """A single hit opens beside the list."""
    async with stand_in.signed_in() as client:
        answer = await client.get("/search?q=%231002")
    assert answer.headers["location"] == f"/events?id={event(2).id}&open={event(2).id}"


async def test_bodies_are_looked_through_in_slices_until_stopped(stand_in: StandIn) -> None:
    """Each answer leads to the next; a new search or a stop ends it."""
    inside = {"hx-request": "true"}
    async with stand_in.signed_in() as client:
        page, slices = await client.get("/search/bodies?q=needle", headers=inside), 1
        first = page.text
        while more := re.search(r'hx-get="([^"]+)"', page.text.partition("scan-more")[2]):
            page, slices = await client.get(more[1].replace("&amp;", "&"), headers=inside), slices + 1
        assert slices == 3
        assert event(1).id in page.text
        assert "1 found" in page.text
        older = re.search(r'hx-get="([^"]+)"', first.partition("scan-more")[2])
        assert older
        await stand_in.people.add_token("another", Scope.READ, b"", now=NOW)  # the stand-in's next name differs
        other = (await client.get("/search/bodies?q=other", headers=inside)).text
        assert "Stopped" in (await client.get(older[1].replace("&amp;", "&"), headers=inside)).text
        going = re.search(r'hx-get="([^"]+)"', other.partition("scan-more")[2])
        assert going
        await client.post("/search/stop", data={"q": "other"}, headers=inside)
        asked = len(stand_in.log.asked)
        assert "Stopped" in (await client.get(going[1].replace("&amp;", "&"), headers=inside)).text
        assert len(stand_in.log.asked) == asked

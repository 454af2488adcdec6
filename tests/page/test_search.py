"""The search."""

import re
from pathlib import Path

import pytest

from store.people import Scope
from tests.web.api.stand_in import NOW, StandIn, event
from web.page.search import _share

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


@pytest.mark.parametrize(
    ("low", "high", "following", "percent"),
    [(1, 101, 101, 0), (1, 101, 51, 50), (1, 101, 1, 99), (1, 101, None, 100), (0, 0, None, 100), (90, 101, 5, 99)],
)
def test_progress_is_a_share_of_what_lies_in_the_time(low: int, high: int, following: int | None, percent: int) -> None:
    """From 0 to 100, and 100 only at the end."""
    assert _share(low, high, following) == percent


async def test_each_slice_tells_how_far_it_is(stand_in: StandIn) -> None:
    """In words and as a bar, and the ends stay where they were at the first slice."""
    async with stand_in.signed_in() as client:
        page = (await client.get("/search/bodies?q=needle&since=24h", headers={"hx-request": "true"})).text
    assert '<progress max="100" value="33"' in page
    assert "33 %:" in page
    assert f"to={NOW}" in page

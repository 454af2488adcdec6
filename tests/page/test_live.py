"""The live stream: one rendering for all, nothing while nobody watches, slow pages catch up, and an end with the process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from tests.page.standings import PAIRED
from tests.web.api.stand_in import StandIn
from web import live as module
from web.live import Live
from web.page.home import PIECES, pieces

pytestmark = pytest.mark.anyio


class Screen:
    """What there is to see, how often it was rendered, and the pulse."""

    def __init__(self) -> None:
        self.pieces: dict[str, str] = {"a": "1", "b": "1"}
        self.rendered = 0
        self.pulse = 0

    async def render(self) -> Mapping[str, str]:
        self.rendered += 1
        return dict(self.pieces)

    def change(self, **changed: str) -> None:
        self.pieces |= changed
        self.pulse += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks follow one another quickly."""
    monkeypatch.setattr(module, "TICK", 0.005)


@asynccontextmanager
async def running(screen: Screen) -> AsyncIterator[Live]:
    live = Live(pulse=lambda: screen.pulse)
    task = asyncio.get_running_loop().create_task(live.run(screen.render))
    try:
        yield live
    finally:
        live.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def message(stream: AsyncIterator[bytes]) -> dict[str, str]:
    """The next message that says something."""
    async with asyncio.timeout(5):
        async for part in stream:
            if part.startswith(b"data: "):
                found: dict[str, str] = json.loads(part.removeprefix(b"data: "))
                return found
    raise AssertionError("the stream ended")


async def test_a_page_gets_everything_and_then_what_changes() -> None:
    """The first message holds every piece, later ones only what is new."""
    screen = Screen()
    async with running(screen) as live:
        stream = live.stream()
        assert await message(stream) == {"a": "1", "b": "1"}
        screen.change(b="2")
        assert await message(stream) == {"b": "2"}
        await stream.aclose()  # type: ignore[attr-defined]  # a generator


async def test_nothing_is_rendered_while_nobody_watches() -> None:
    """Before the first page, and after the last has gone."""
    screen = Screen()
    async with running(screen) as live:
        await asyncio.sleep(0.03)
        assert screen.rendered == 0
        stream = live.stream()
        await message(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # a generator
        await asyncio.sleep(0.03)
        before = screen.rendered
        for _ in range(5):
            screen.change(a=str(screen.pulse))
            await asyncio.sleep(0.01)
        assert screen.rendered <= before + 1


async def test_a_hundred_pages_cost_one_rendering_and_get_the_same_bytes() -> None:
    """What is sent to all is made once."""
    screen = Screen()
    async with running(screen) as live:
        streams = [live.stream() for _ in range(100)]
        await asyncio.gather(*(message(stream) for stream in streams))
        before = screen.rendered
        screen.change(a="2")
        assert await asyncio.gather(*(message(stream) for stream in streams)) == [{"a": "2"}] * 100
        assert screen.rendered <= before + 2
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]  # a generator


async def test_a_slow_page_misses_what_lay_between_and_then_has_everything() -> None:
    """However long it does not read, one message waits for it."""
    screen = Screen()
    async with running(screen) as live:
        slow, quick = live.stream(), live.stream()
        await message(slow)
        await message(quick)
        for number in range(2, 6):
            screen.change(a=str(number))
            assert await message(quick) == {"a": str(number)}
        assert await message(slow) == {"a": "5", "b": "1"}
        await slow.aclose()  # type: ignore[attr-defined]  # a generator
        await quick.aclose()  # type: ignore[attr-defined]  # a generator


async def test_streams_end_with_the_process() -> None:
    """A stop is not held up by open pages."""
    screen = Screen()
    async with running(screen) as live:
        stream = live.stream()
        await message(stream)
        live.close()
        async with asyncio.timeout(5):
            assert [part async for part in stream if part.startswith(b"data")] == []


async def test_too_many_pages_are_turned_away(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is bounded."""
    monkeypatch.setattr(module, "MOST", 0)
    async with stand_in.signed_in() as client:
        assert (await client.get("/live")).status_code == 429


async def test_the_stream_is_for_our_own_pages(stand_in: StandIn) -> None:
    """Another site's EventSource is refused; nobody signed in sees nothing."""
    async with stand_in.signed_in(origin="http://evil.example", **{"sec-fetch-site": "cross-site"}) as client:
        assert (await client.get("/live")).status_code == 403
    async with stand_in.client(token="") as client:
        answer = await client.get("/live", headers={"origin": "http://127.0.0.1:8421", "sec-fetch-site": "same-origin"})
    assert answer.status_code == 401


async def test_every_live_place_has_its_piece(stand_in: StandIn) -> None:
    """What the page shows at first is what the stream would send."""
    stand_in.membership.stands = replace(PAIRED, last_poll_at=0)
    async with stand_in.signed_in() as client:
        page = "".join([(await client.get(path)).text for path in ("/", "/settings/proxy")])
    found = await pieces(stand_in.desk())
    assert found.keys() == PIECES.keys()
    for name, html in found.items():
        assert f'data-live="{name}"' in page
        assert html.strip() in page

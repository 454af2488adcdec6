"""Forms in a real browser, over a whole agent: a taken port, a destination that moves, one that goes, ticks of health."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.appliance.agents import apply, direct
from tests.page.browser import Site, needs_chromium, open_browser, open_site, send, signed_in
from tests.page.scene import until
from tests.whole.destination import Destination
from touchpoints.touchpoint import HttpDestination
from web.page.public_url import with_port

pytestmark = [pytest.mark.anyio, needs_chromium]

TOKEN = "hush-bearer-1"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with open_browser() as made:
        yield made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site without anything in it."""
    async with open_site(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """Ann's tab; nothing may go wrong in it."""
    context = await browser.new_context()
    watched = await signed_in(context, site)
    yield watched.page
    assert watched.wrong == []
    await context.close()


def stock(*urls: str) -> str:
    """A touchpoint that takes everything, with a destination for each URL."""
    return (
        '[[touchpoint]]\nname = "stock"\nprovider = "generic"\n'
        'verify = { scheme = "none", allow_unsigned = true }\nretry = { schedule = ["1s"] }\n'
    ) + "".join(
        f'[[touchpoint.destination]]\nname = "to-{number}"\nkind = "http"\nurl = "{url}"\n'
        f'auth = {{ type = "bearer", token = "{TOKEN}" }}\n'
        for number, url in enumerate(urls, 1)
    )


@pytest.mark.parametrize("where", ["/begin/arrival", "/settings"])
async def test_a_taken_port_is_told_and_the_free_one_works(
    page: Page, site: Site, free_port: Callable[[], int], where: str
) -> None:
    """Nothing changes while the port is taken; the button takes the proposed one, and webhooks arrive there."""
    first = free_port()
    assert (await apply(site.agent, direct(first) + stock())).problems == ()
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        await page.goto(site.at(where))
        await page.fill("input[name$=port]", str(taken))
        await page.fill("input[name$=host_public_url]", f"http://127.0.0.1:{taken}")
        await page.press("input[name$=port]", "Enter")
        await expect(page.get_by_text("already in use").first).to_be_visible()
        assert site.agent.configuration.agent.port == first
        free = page.get_by_role("button", name=re.compile(r"Use port \d+ instead"))
        proposed = int(re.findall(r"\d+", await free.inner_text())[0])
        assert proposed not in (taken, first)
        await free.click()
        await page.wait_for_url(re.compile(r"/(settings)?$"))
        assert site.agent.configuration.agent.port == proposed
        assert site.agent.configuration.agent.host_public_url == f"http://127.0.0.1:{proposed}"
        assert await send(f"http://127.0.0.1:{proposed}/hooks/stock", [b"{}"], {}) == [200]


@pytest.mark.parametrize(
    ("url", "instead"),
    [
        ("http://a:8420", "http://a:8421"),
        ("https://a:8420/x?y", "https://a:8421/x?y"),
        ("https://[::1]:8420/", "https://[::1]:8421/"),
        ("https://a", "https://a"),
        ("https://a:84200", "https://a:84200"),
        ("https://a:443/x:8420", "https://a:443/x:8420"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_public_url_follows_the_port_it_named(url: str, instead: str) -> None:
    """One that names another port (of a reverse proxy, say) stays as it is."""
    assert with_port(url, "8420", "8421") == instead
    assert with_port(url, "84x", "8421") == url


async def test_enter_takes_the_port_that_was_typed_not_the_proposed_one(
    page: Page, site: Site, free_port: Callable[[], int]
) -> None:
    """The proposal is a button of its own: the key means the form's own button."""
    assert (await apply(site.agent, direct(free_port()))).problems == ()
    wanted = free_port()
    with socket.create_server(("127.0.0.1", free_port())) as other:
        await page.goto(site.at("/begin/arrival"))
        await page.fill("[name=port]", str(other.getsockname()[1]))
        await page.press("[name=port]", "Enter")
        await expect(page.get_by_role("button", name=re.compile("Use port"))).to_be_visible()
        await page.fill("[name=port]", str(wanted))
        await page.press("[name=port]", "Enter")
        await page.wait_for_url(site.at("/begin/touchpoint"))
    assert site.agent.configuration.agent.port == wanted


async def test_a_destination_that_moves_wants_its_secret_again(page: Page, site: Site) -> None:
    """A kept token goes to no other host: its field says so, the rest stays as typed, and typed anew it is saved."""
    assert (await apply(site.agent, stock("http://127.0.0.1:1/a"))).problems == ()
    await page.goto(site.at("/touchpoints/stock/to/to-1"))
    token = page.locator('[name="destination.auth.token"]')
    assert await token.input_value() == ""
    await page.fill('[name="destination.url"]', "http://127.0.0.2:1/b")
    await page.click("main form button.go")
    wrong = page.locator(".wrong", has=token)
    await expect(wrong).to_contain_text("may not be moved to another place")
    assert await page.input_value('[name="destination.url"]') == "http://127.0.0.2:1/b"
    assert TOKEN not in await page.content()
    (kept,) = site.agent.configuration.touchpoints[0].destinations
    assert isinstance(kept, HttpDestination)
    assert kept.url == "http://127.0.0.1:1/a"
    await token.fill("hush-bearer-2")
    await page.click("main form button.go")
    await page.wait_for_url(site.at("/touchpoints/stock"))
    (moved,) = site.agent.configuration.touchpoints[0].destinations
    assert isinstance(moved, HttpDestination)
    assert moved.auth is not None
    assert (moved.url, moved.auth.secret) == ("http://127.0.0.2:1/b", "hush-bearer-2")


async def test_ticks_show_real_deliveries_and_what_waits_keeps_its_destination(
    page: Page, site: Site, free_port: Callable[[], int]
) -> None:
    """A tick for each delivery, by its state; a destination with undelivered events cannot go, the other goes alone."""
    works, fails = Destination(port=free_port()).start(), Destination(port=free_port(), status=422).start()
    try:
        port = free_port()
        assert (await apply(site.agent, direct(port) + stock(works.url, fails.url))).problems == ()
        bodies = [json.dumps({"n": number}).encode() for number in range(3)]
        assert await send(f"http://127.0.0.1:{port}/hooks/stock", bodies, {}) == [200] * 3
        await until(lambda: len(works.got) == 3 and len(fails.got) == 6)
    finally:
        works.stop()
        fails.stop()
    ticks = page.locator(".ticks i")
    for path in ("/touchpoints", "/touchpoints/stock"):
        await settled(page, site, path)
        assert sorted([str(await one.get_attribute("class")) for one in await ticks.all()]) == ["is-bad"] * 3 + ["is-good"] * 3
        said = str(await page.locator(".ticks").get_attribute("aria-label"))
        assert said.startswith("The last 6 deliveries: ")
        assert "3 delivered" in said
    await page.goto(site.at("/touchpoints/stock/to/to-2"))
    await expect(page.get_by_text("3 deliveries for to-2 are neither delivered nor dismissed.")).to_be_visible()
    await expect(page.locator("details.confirm")).to_have_count(0)
    await page.goto(site.at("/touchpoints/stock/to/to-1"))
    await page.locator("details.confirm summary").click()
    await page.locator("details.confirm button").click()
    await page.wait_for_url(site.at("/touchpoints/stock"))
    await expect(page.locator("#notices")).to_contain_text("to-1 was removed.")
    assert [one.name for one in site.agent.configuration.touchpoints[0].destinations] == ["to-2"]


async def settled(page: Page, site: Site, path: str) -> None:
    """Load the page until the outcomes are written down."""
    async with asyncio.timeout(10):
        while True:
            await page.goto(site.at(path))
            if "3 given up" in str(await page.locator(".ticks").get_attribute("aria-label")):
                return


async def test_a_body_search_has_two_ends_and_tells_how_far_it_is(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    """Slices follow one another by themselves; what is outside the ends is not found; a wrong date is told."""
    monkeypatch.setattr("store.sqlite.scan.SCAN_EVENTS", 2)
    port = free_port()
    assert (await apply(site.agent, direct(port) + stock())).problems == ()
    bodies = [json.dumps({"n": number, "title": "Copper kettle"}).encode() for number in range(9)]
    assert await send(f"http://127.0.0.1:{port}/hooks/stock", bodies, {}) == [200] * 9
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/bodies" in request.url else None)
    await page.goto(site.at("/search?q=KETTLE"))
    await page.get_by_role("button", name="Look through bodies").click()
    await expect(page.locator(".scan-end")).to_contain_text("9 bodies looked through, 9 found.")
    await expect(page.locator("#scan tbody tr")).to_have_count(9)
    assert len(asked) == 5
    await page.fill("[name=until]", "1h")
    await page.get_by_role("button", name="Look through bodies").click()
    await expect(page.locator(".scan-end")).to_contain_text("0 found.")
    await expect(page.locator("#scan tbody tr")).to_have_count(0)
    await page.fill("[name=until]", "tomorrowish")
    await page.get_by_role("button", name="Look through bodies").click()
    await expect(page.locator("#notices")).to_contain_text("tomorrowish")

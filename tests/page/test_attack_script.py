"""Stored scripts: what strangers and destinations put into the page stays text, on every screen."""

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from store.log import Filter
from tests.page.attacker import MARK, Attack, harmless
from tests.page.browser import needs_chromium
from tests.page.stranger import BODIES, JUNK, SCRIPT, TEMPLATE, Ears, looked, open_stranger

pytestmark = [pytest.mark.anyio, needs_chromium]


@pytest.fixture(scope="module")
def ears() -> Ears:
    """What hears dialogs."""
    return Ears()


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory, ears: Ears) -> AsyncIterator[Attack]:
    """One furnished page and one browser for all tests here."""
    async with open_stranger(tmp_path_factory.mktemp("script"), ears) as made:
        yield made


async def test_what_strangers_sent_is_text_on_every_screen(attack: Attack, ears: Ears) -> None:
    """Lists, events, bodies in every way, search, road, needs, audit, export, settings; live as well as loaded."""
    await expect(attack.screen.page.locator("[data-live=latest]")).to_contain_text(MARK)
    assert await harmless(attack.screen) == []
    events = await attack.site.agent._desk.log().events(Filter(), limit=50)
    assert len(events) == len(BODIES) + 2
    paths = [
        "/",
        "/events",
        "/touchpoints",
        "/touchpoints/open",
        "/touchpoints/locked",
        "/touchpoints/open/to/files",
        "/export",
    ]
    paths += ["/settings", "/settings/people", "/settings/audit", "/settings/about", f"/events?open={events[0].event.id}"]
    paths += [f"/search?q={quote(JUNK)}", f"/search/bodies?q={MARK}&range=24h", "/events/act/replay?state=given_up"]
    for one in events:
        paths += [f"/events/{one.event.id}", f"/touchpoints/open/try?event={one.event.id}"]
        paths += [f"/events/{one.event.id}/body?as={way}" for way in ("pretty", "raw", "hex")]
    wrong = [problem for path in paths for problem in await looked(attack.screen, attack.site.at(path))]
    assert wrong == []
    assert attack.screen.wrong == []
    assert ears.dialogs == []


async def test_the_screens_say_it_as_it_came(attack: Attack) -> None:
    """The markup can be read, so the test before looked at the right thing; nothing in it was filled in."""
    events = await attack.site.agent._desk.log().events(Filter(), limit=50)
    html = next(one for one in events if one.event.body_bytes == len(BODIES["text/html"]) and one.deliveries)
    await looked(attack.screen, attack.site.at(f"/events/{html.event.id}"))
    shown = await attack.screen.page.inner_text("main")
    assert shown.count(TEMPLATE) >= 6
    assert f"<{MARK}></{MARK}>" in shown
    for failure in ("422", "certificate"):
        assert failure in shown
    await looked(attack.screen, attack.site.at("/settings/audit"))
    assert f"<{MARK}>" in await attack.screen.page.inner_text("main")


async def test_pieces_that_come_later_are_text(attack: Attack, ears: Ears) -> None:
    """A row that opens beside the list, a body shown another way, a deed that is asked about, rows found in bodies."""
    page = attack.screen.page
    await page.goto(attack.site.at("/events"))
    await page.locator("tr[data-row] a").first.click()
    await expect(page.locator("#panel .timeline")).to_be_visible()
    for way in ("raw", "hex"):
        await page.locator(f"#body .ways a[href$='as={way}']").click()
        await expect(page.locator(f"#body .ways a[href$='as={way}'][aria-current=true]")).to_be_visible()
    await page.locator("#panel .deeds a").first.click()
    await expect(page.locator("#deed form, #deed .notice").first).to_be_visible()
    assert await harmless(attack.screen) == []
    await page.goto(attack.site.at(f"/search/bodies?q={MARK}&range=24h"))
    await expect(page.locator("main")).to_contain_text(MARK)
    assert await harmless(attack.screen) == []
    assert attack.screen.wrong == []
    assert ears.dialogs == []


async def test_a_stored_body_is_never_a_script_or_a_document(attack: Attack, ears: Ears) -> None:
    """Not even the page's own markup could run it: it is a file without a type, and no worker is made of it."""
    events = await attack.site.agent._desk.log().events(Filter(), limit=50)
    one = next(one for one in events if one.event.body_bytes == len(SCRIPT) and one.deliveries)
    address = f"/api/v1/events/{one.event.id}/body"
    page = attack.screen.page
    await page.goto(attack.site.at("/"))
    outcome = await page.evaluate(
        """async (url) => {
          const script = Object.assign(document.createElement("script"), { src: url });
          const ran = new Promise((done) => { script.onload = () => done("loaded"); script.onerror = () => done("refused"); });
          document.head.append(script);
          return [await ran, await import(url).then(() => "loaded", () => "refused"),
                  await navigator.serviceWorker.register(url).then(() => "registered", () => "refused"),
                  window.__pwned === true];
        }""",
        address,
    )
    assert outcome == ["refused", "refused", "refused", False]
    attack.screen.wrong.clear()  # the browser's own words about the refusals
    answer = await page.evaluate("(url) => fetch(url).then((one) => Object.fromEntries(one.headers))", address)
    assert answer["content-type"] == "application/octet-stream"
    assert answer["content-disposition"].startswith("attachment")
    assert answer["x-content-type-options"] == "nosniff"
    assert ears.dialogs == []


async def test_addresses_that_hold_markup_are_answered_in_text(attack: Attack, ears: Ears) -> None:
    """What is not there, what makes no sense, and every filter: refusals say back what was asked as text."""
    junk = quote(JUNK, safe="")
    paths = [f"/{junk}", f"/events/{junk}", f"/events/{junk}/body", f"/events/act/{junk}", f"/touchpoints/{junk}"]
    paths += [
        f"/touchpoints/open/try?event={junk}",
        f"/touchpoints/open/to/{junk}",
        f"/begin/touchpoint/{junk}",
        f"/setup/{junk}",
    ]
    names = ("reference", "state", "touchpoint", "since", "until", "destination", "id", "key", "tests", "before", "open")
    for screen in ("/events", "/export", "/events/act/replay"):
        paths += [f"{screen}?{name}={junk}" for name in names]
    paths += [f"/export?format={junk}", f"/?period={junk}", f"/search?q={junk}", f"/search/bodies?q={junk}&range={junk}&scan=1"]
    paths += [f"/setup/{junk}", f"/sign-in?next={junk}", f"/static/{junk}"]
    wrong = [problem for path in paths for problem in await looked(attack.screen, attack.site.at(path))]
    assert wrong == []
    assert attack.screen.wrong == []
    assert ears.dialogs == []


async def test_the_bundle_for_support_holds_no_secret(attack: Attack, tmp_path: Path) -> None:
    """Its files are named by us, and what a stranger sent is data in them."""
    page = attack.screen.page
    await page.goto(attack.site.at("/settings/about"))
    async with page.expect_download() as begun:
        await page.evaluate("() => { location.href = '/settings/about/bundle.zip'; }")
    await (await begun.value).save_as(tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        names = bundle.namelist()
        texts = [bundle.read(name).decode() for name in names]
    assert names == ["facts.json", "status.json", "touchpoints.json", "configuration.toml", "log.txt"]
    assert all(isinstance(json.loads(text), dict) for text in texts[:3])
    for secret in ("hush-hush-hush", attack.site.agent.machine_token):
        assert not [name for name, text in zip(names, texts, strict=True) if secret in text]

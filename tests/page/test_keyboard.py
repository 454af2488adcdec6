"""The keyboard: `/` searches, j and k walk the rows, enter opens, esc closes, ? helps; the focus is always seen."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.page.browser import Site, Watched, needs_chromium, open_browser, open_site, signed_in
from tests.page.filled import TEXT, fill

pytestmark = [pytest.mark.anyio, needs_chromium]

HERE = "document.activeElement.closest('[data-row]')?.dataset.id"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with open_browser() as made:
        yield made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with twelve orders."""
    async with open_site(tmp_path / "data") as made:
        await fill(made.agent, 12)
        yield made


@pytest.fixture
async def watched(browser: Browser, site: Site) -> AsyncIterator[Watched]:
    """Ann's tab; nothing may go wrong in it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    tab = await signed_in(context, site)
    yield tab
    assert tab.wrong == []
    await context.close()


async def rows(page: Page) -> list[str]:
    """The ids of the rows, from above."""
    return list(await page.eval_on_selector_all("[data-row]", "all => all.map((one) => one.dataset.id)"))


async def test_rows_are_walked_opened_and_closed(watched: Watched, site: Site) -> None:
    """Enter opens beside the list, the address keeps what is open, esc closes and the focus is back on the row."""
    page = watched.page
    await page.goto(site.at("/events"))
    first, second, *_ = await rows(page)
    await page.keyboard.press("j")
    assert await page.evaluate(HERE) == first
    await page.keyboard.press("j")
    assert await page.evaluate(HERE) == second
    assert await page.evaluate(OUTLINE) == "solid"
    await page.keyboard.press("k")
    await page.keyboard.press("k")
    assert await page.evaluate(HERE) == first
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel .event")).to_be_visible()
    await expect(page.locator("tr.here")).to_have_attribute("data-id", first)
    await page.wait_for_url(site.at(f"/events?open={first}"))
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_empty()
    await page.wait_for_url(site.at("/events"))
    assert await page.evaluate(HERE) == first


async def test_an_open_event_is_there_after_loading_again(watched: Watched, site: Site) -> None:
    """With its filters, its row marked, and whole beside the list."""
    page = watched.page
    await page.goto(site.at("/events?touchpoint=orders"))
    second = (await rows(page))[1]
    await page.locator(f'[data-id="{second}"] a').click()
    await page.wait_for_url(site.at(f"/events?touchpoint=orders&open={second}"))
    await page.reload()
    await expect(page.locator("#panel .event")).to_be_visible()
    await expect(page.locator("tr.here")).to_have_attribute("data-id", second)


async def test_a_long_event_is_read_from_its_top_with_its_head_in_sight(watched: Watched, site: Site) -> None:
    """The panel scrolls, what stands in it does not scroll by itself, and the next event begins at its top."""
    page = watched.page
    await page.set_viewport_size({"width": 1280, "height": 500})
    await page.goto(site.at("/events"))
    first, second, *_ = await rows(page)
    await page.locator(f'[data-id="{first}"] a').click()
    panel = page.locator("#panel")
    await page.wait_for_url(site.at(f"/events?open={first}"))
    await panel.evaluate("(one) => { one.scrollTop = one.scrollHeight; }")
    assert await panel.evaluate("(one) => one.scrollTop > 0")
    head, body = await panel.locator("header").bounding_box(), await panel.locator("pre").last.bounding_box()
    around = await panel.bounding_box()
    assert head is not None
    assert body is not None
    assert around is not None
    assert abs(head["y"] - around["y"]) < 2
    inner = "(all) => all.filter((one) => one.scrollHeight > one.clientHeight + 1).length"
    assert await page.eval_on_selector_all("#panel .event pre", inner) == 0
    await page.locator(f'[data-id="{second}"] a').click()
    await expect(page.locator("tr.here")).to_have_attribute("data-id", second)
    await page.wait_for_url(site.at(f"/events?open={second}"))
    assert await panel.evaluate("(one) => one.scrollTop") == 0


async def test_slash_searches_from_anywhere_and_esc_leaves_the_field(watched: Watched, site: Site) -> None:
    """What is typed into a field is text, not a key of ours."""
    page = watched.page
    await page.goto(site.at("/settings"))
    await page.keyboard.press("/")
    assert await page.evaluate("'find' in document.activeElement.dataset")
    await page.keyboard.type("j?/#1005")
    assert await page.input_value("[data-find]") == "j?/#1005"
    await page.keyboard.press("Escape")
    assert await page.evaluate("document.activeElement === document.body")
    await page.keyboard.press("/")
    await page.keyboard.type("#1005")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel .event h2")).to_have_text("#1005")


async def test_question_mark_helps_and_names_every_key(watched: Watched, site: Site) -> None:
    """The help opens and closes by keys alone."""
    page = watched.page
    await page.goto(site.at("/"))
    keys = page.locator("#keys")
    await expect(keys).to_be_hidden()
    await page.keyboard.press("?")
    await expect(keys).to_be_visible()
    assert await keys.locator("kbd").all_inner_texts() == ["/", "j", "k", "enter", "esc", "?"]
    await page.keyboard.press("Escape")
    await expect(keys).to_be_hidden()


async def test_tab_leads_first_to_the_content_and_every_stop_is_seen(watched: Watched, site: Site) -> None:
    """The skip link comes first; whatever has the focus shows it."""
    page = watched.page
    await page.goto(site.at("/"))
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate(OUTLINE) == "solid", await page.evaluate("document.activeElement.outerHTML.slice(0, 120)")


async def test_news_wait_until_the_focus_has_left_their_place(watched: Watched, site: Site) -> None:
    """On the way from one stop to the next within it they take the focus from nobody."""
    page, road = watched.page, '[data-live="road"]'
    await page.goto(site.at("/"))
    stops, before = page.locator(f"{road} a.stop"), await page.locator(road).inner_text()
    await stops.first.focus()
    await fill(site.agent, 1, first=13, more=TEXT.replace("orders", "returns"))
    await expect(page.locator('[data-live="latest"]')).to_contain_text("#1013")
    assert await page.locator(road).inner_text() == before
    for number in range(1, await stops.count()):
        await page.keyboard.press("Tab")
        assert await stops.nth(number).evaluate("stop => stop === document.activeElement")
    assert await page.locator(road).inner_text() == before
    await page.keyboard.press("Tab")
    assert await page.locator(road).inner_text() != before
    assert await page.evaluate(OUTLINE) == "solid"


async def test_keys_with_ctrl_are_the_browsers_own(watched: Watched, site: Site) -> None:
    """Ctrl-J and the like do nothing here."""
    page = watched.page
    await page.goto(site.at("/events"))
    await page.keyboard.press("Control+k")
    assert await page.evaluate(HERE) is None


async def test_times_count_on_by_themselves(watched: Watched, site: Site) -> None:
    """In the words the machine uses, also when the browser's clock is an hour off."""
    page = watched.page
    await page.add_init_script("const real = Date.now; Date.now = () => real() + 3600_000 + (window.later || 0);")
    await page.goto(site.at("/events"))
    age = page.locator('time[data-as="ago"]').first
    await expect(age).to_have_text(re.compile(r"^(just now|\d+ s ago)$"))
    await page.evaluate("window.later = 300_000")
    await expect(age).to_have_text("5 min ago")
    await page.evaluate("window.later = 3 * 3600_000")
    await expect(age).to_have_text("3 h ago")

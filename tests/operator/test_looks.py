"""The operator's page in a real browser: live, in light and dark, on a narrow screen, and by keyboard."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.page.browser import keep_picture, needs_chromium, open_browser, open_tab
from tests.page.doorstep import PASSWORD, PASSWORD_HASH
from tests.web.proxy.kit import MACHINE, Puller, Site, proxy_over
from touchpoints.moment import DAY
from web.listener.server import Listener

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(120)]

SCREENS = [
    "/",
    "/add-organisation",
    "/organisations/acme",
    "/settings/server",
    "/settings/backup",
    "/settings/people",
    "/settings/audit",
    "/settings/about",
    "/begin/server",
]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def busy(tmp_path: Path, free_port: Callable[[], int]) -> AsyncIterator[tuple[Site, Puller, str]]:
    """A proxy with organisations in every state, and its page's address."""
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        await site.role.opened.people.set_password("ann", PASSWORD_HASH, now=site.role._clock.now())
        agent = await site.tenant("acme", "orders", "stock", quota_events=10)
        await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare-with-a-long-name")
        for number in range(6):
            await site.post(agent, body=b"%d" % number)
        await site.organisation("new-customer-with-a-rather-long-name")
        await site.role._safekeeping.make(actor=MACHINE)
        now = site.role._clock.now()
        await site.role.opened.configuration.put_back(of=now - DAY, now=now)
        await site.role._safekeeping.recall()
        listener = await Listener.open(site.role.local, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{listener.address[1]}"
        site.role.page = site.role.loopback = address
        try:
            yield site, agent, address
        finally:
            site.role._live.close()
            await listener.close(grace=0.5)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
async def test_every_screen_fits_and_breaks_nothing(
    browser: Browser, busy: tuple[Site, Puller, str], theme: str, width: int
) -> None:
    """No sideways scrolling, no error of script or policy, every field labelled."""
    _, _, address = busy
    context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]  # one of its literals
    try:
        watched = await open_tab(context)
        page = watched.page
        await page.goto(f"{address}/sign-in")
        await page.fill("[name=name]", "ann")
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_url(f"{address}/")
        for path in SCREENS:
            await page.goto(address + path)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert await page.evaluate(UNLABELLED) == [], path
            await keep_picture(page, f"proxy-{theme}-{width}/{path.strip('/').replace('/', '-') or 'home'}.png")
        assert watched.wrong == []
    finally:
        await context.close()


async def test_the_list_is_live_and_a_code_counts_down(browser: Browser, busy: tuple[Site, Puller, str]) -> None:
    """An event that comes shows without a reload; a fresh code says how long it lives, and can be copied."""
    site, agent, address = busy
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        watched = await open_tab(context)
        page = watched.page
        await page.goto(f"{address}/sign-in")
        await page.fill("[name=name]", "ann")
        await page.fill("[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_url(f"{address}/")
        row = page.locator("tr", has_text="acme").first
        await row.get_by_text("6 events").wait_for()
        await site.post(agent, body=b"one more")
        await row.get_by_text("7 events").wait_for()
        await page.goto(f"{address}/organisations/acme")
        await page.get_by_role("button", name="Make a pairing code").last.click()
        await page.locator("[data-until]", has_text="Runs out in 9:").wait_for()
        assert await page.locator(".pairing-code [data-copy]").is_visible()
        await page.locator("article.agent", has_text="spare").get_by_text("Revoke").first.click()
        await page.locator("article.agent", has_text="spare").get_by_role("button", name="Revoke").click()
        await page.get_by_text("spare-with-a-long-name was revoked").wait_for()
        assert watched.wrong == []
    finally:
        await context.close()


UNLABELLED = """[...document.querySelectorAll("input:not([type=hidden]), textarea, select, meter")]
  .filter((one) => !(one.labels?.length || one.getAttribute("aria-label"))).map((one) => one.outerHTML)"""

"""One walk through the page as a person takes it: from the setup link to a spreadsheet of what was delivered."""

import re
import zipfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import needs_chromium, open_browser, open_site, open_tab, send
from tests.page.doorstep import PASSWORD
from tests.page.scene import SECRET, order, shopify_headers, until
from tests.whole.destination import Destination

LOOK: dict[str, Any] = {"accept_downloads": True, "locale": "en-GB"}

pytestmark = [pytest.mark.anyio, needs_chromium]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
async def test_from_the_setup_link_to_a_spreadsheet(
    tmp_path: Path, free_port: Callable[[], int], width: int, scheme: Literal["light", "dark"]
) -> None:
    """Password, arrival, first touchpoint, the first event by itself, a failure, a replay, an export."""
    port, erp = free_port(), Destination(port=free_port()).start()
    async with AsyncExitStack() as stack:
        stack.callback(erp.stop)
        site = await stack.enter_async_context(open_site(tmp_path / "data", person=None))
        browser = await stack.enter_async_context(open_browser())
        watched = await open_tab(
            await browser.new_context(**LOOK, viewport={"width": width, "height": 800}, color_scheme=scheme)
        )
        page = watched.page
        await page.goto(site.at(site.agent.link.renew()))
        await set_up(page, port, erp.url)

        hooks = f"http://127.0.0.1:{port}/hooks/orders"
        await expect(page.get_by_text("Waiting for the first event")).to_be_visible()
        assert await send(hooks, [order(1041)], shopify_headers(order(1041))) == [200]
        await expect(page.locator(".first-event.is-good")).to_be_visible()

        await page.get_by_role("link", name="Home", exact=True).click()
        await expect(page.locator(".latest").get_by_text("#1041")).to_be_visible()
        await until(lambda: len(erp.got) == 1)
        erp.status = 422
        assert await send(hooks, [order(1042)], shopify_headers(order(1042))) == [200]
        await expect(page.locator(".latest").get_by_text("#1042")).to_be_visible()
        await expect(page.locator("[data-live=latest]")).to_contain_text("422")

        erp.status = 200
        await replay(page, "#1041")
        await until(lambda: sum(got.body == order(1041) for got in erp.got) == 2)
        await export(page, tmp_path / "deliveries.xlsx")
        assert watched.wrong == []


async def set_up(page: Page, port: int, to: str) -> None:
    """The three steps."""
    await page.fill("[name=name]", "ann")
    await page.fill("[name=password]", PASSWORD)
    await page.fill("[name=repeated]", PASSWORD)
    await page.click("main button")
    await page.wait_for_url("**/begin/arrival")
    await page.fill("[name=host_public_url]", f"http://127.0.0.1:{port}")
    await page.fill("[name=port]", str(port))
    await page.click("main button")
    await page.wait_for_url("**/begin/touchpoint")
    await page.fill("[data-picker-find]", "shopi")
    await page.press("[data-picker-find]", "Enter")
    await page.wait_for_url("**/begin/touchpoint?provider=shopify")
    await page.fill("[name=name]", "orders")
    await page.fill("[name=secret]", SECRET)
    await page.fill("[name=url]", to)
    await page.click("main button.go")
    await page.wait_for_url("**/begin/touchpoint/orders")


async def replay(page: Page, number: str) -> None:
    """Open an event from the list, and send it once more; the deed is said before it is done."""
    await page.get_by_role("link", name="Events", exact=True).click()
    await page.locator("tr", has_text=number).get_by_role("link").click()
    opened = page.locator("main")  # beside the list, or in its place where the window is narrow
    await expect(opened.locator(".timeline")).to_contain_text("Verified")
    await opened.get_by_role("link", name="Replay").first.click()
    await page.locator("#deed form button").click()
    await page.wait_for_url(re.compile("/events"))
    await expect(page.locator("#notices")).not_to_be_empty()


async def export(page: Page, to: Path) -> None:
    """Download what the preview shows."""
    await page.get_by_role("link", name="Export", exact=True).click()
    await expect(page.locator("table")).to_contain_text("#1041")
    async with page.expect_download() as begun:
        await page.locator("a[download]").click()
    await (await begun.value).save_as(to)
    assert zipfile.is_zipfile(to)

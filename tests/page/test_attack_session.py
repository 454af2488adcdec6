"""Whoever wants somebody else's session: planted cookies, old ones, and what is still open when a session ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.page.attacker import Attack, open_attack
from tests.page.browser import PATIENCE, needs_chromium, signed_in
from tests.page.doorstep import PASSWORD, PASSWORD_HASH, TYPED
from web import guard_stream
from web.guard_session import cookie_name

pytestmark = [pytest.mark.anyio, needs_chromium]

OTHER = "correct horse battery"


@pytest.fixture(scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    """One running page and one browser for all tests here."""
    async with open_attack(tmp_path_factory.mktemp("session")) as made:
        yield made


@asynccontextmanager
async def fresh(attack: Attack) -> AsyncIterator[BrowserContext]:
    """Another browser, with no cookie."""
    context = await attack.browser.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


def name_of(attack: Attack) -> str:
    return cookie_name(attack.site.agent._instance)


async def session_of(attack: Attack, context: BrowserContext) -> str:
    """The value of a browser's session cookie."""
    return next(
        one.get("value", "") for one in await context.cookies(attack.site.address) if one.get("name") == name_of(attack)
    )


async def opens(attack: Attack, value: str) -> bool:
    """Whether a cookie's value lets anybody in."""
    async with httpx.AsyncClient() as thief:
        headers = {**TYPED, "cookie": f"{name_of(attack)}={value}"}
        return (await thief.get(attack.site.at("/settings/people"), headers=headers)).status_code == 200


async def plant(page: Page, attack: Attack, cookie: str) -> None:
    """Let the attacker's site on another port of the page's host set a cookie."""
    await page.goto(attack.evil.at("127.0.0.1", f"/cookie?set={quote(cookie)}"))


async def test_a_planted_value_never_becomes_a_session(attack: Attack) -> None:
    """What another port set before the sign-in is replaced by it, and opens nothing; a script of there cannot set it after."""
    async with fresh(attack) as context:
        page = await context.new_page()
        await plant(page, attack, f"{name_of(attack)}=planted-by-a-stranger; Path=/")
        assert await session_of(attack, context) == "planted-by-a-stranger"
        watched = await signed_in(context, attack.site)
        mine = await session_of(attack, context)
        assert mine != "planted-by-a-stranger"
        assert not await opens(attack, "planted-by-a-stranger")
        await page.goto(attack.evil.at("127.0.0.1"))
        await page.evaluate("(name) => { document.cookie = name + '=planted-by-a-script; path=/'; }", name_of(attack))
        assert name_of(attack) not in await page.evaluate("document.cookie")
        assert await session_of(attack, context) == mine
        await watched.page.goto(attack.site.at("/events"))
        await expect(watched.page.locator("nav.sections")).to_be_visible()


async def test_cookies_tossed_beside_the_session_change_nothing(attack: Attack) -> None:
    """Of the same name for deeper paths, where a browser sends them first: they neither sign out nor lead round in circles."""
    async with fresh(attack) as context:
        watched = await signed_in(context, attack.site)
        mine = await session_of(attack, context)
        page = await context.new_page()
        for path in ("/events", "/settings", "/sign-out"):
            await plant(page, attack, f"{name_of(attack)}=tossed; Path={path}; HttpOnly")
        for path in ("/events", "/settings/people", "/"):
            answer = await watched.page.goto(attack.site.at(path))
            assert answer is not None
            assert (answer.status, watched.page.url) == (200, attack.site.at(path))
        await watched.page.goto(attack.site.at("/sign-out"))
        await watched.page.locator("main button").click()
        await watched.page.wait_for_url(attack.site.at("/sign-in"))
        assert not await opens(attack, mine)


async def test_notices_and_themes_that_are_planted_are_text(attack: Attack) -> None:
    """What other cookies of ours hold is shown as text, or not at all."""
    async with fresh(attack) as context:
        watched = await signed_in(context, attack.site)
        page = await context.new_page()
        await plant(page, attack, f"hookport-said={quote('<pwn-ed></pwn-ed><img src=x onerror=alert(1)>', safe='')}; Path=/")
        await plant(page, attack, 'hookport-theme="><pwn-ed>; Path=/')
        await watched.page.goto(attack.site.at("/"))
        assert await watched.page.locator("pwn-ed, main img").count() == 0
        assert await watched.page.evaluate("document.documentElement.dataset.theme") == "system"


async def test_after_signing_out_nothing_is_left(attack: Attack) -> None:
    """The cookie is gone, its value opens nothing, and going back shows the sign-in: no screen was kept."""
    async with fresh(attack) as context:
        watched = await signed_in(context, attack.site)
        mine = await session_of(attack, context)
        page = watched.page
        await page.goto(attack.site.at("/settings/people"))
        await page.locator("footer form[action='/sign-out'] button").click()
        await page.wait_for_url(attack.site.at("/sign-in"))
        assert [one for one in await context.cookies(attack.site.address) if one.get("name") == name_of(attack)] == []
        assert not await opens(attack, mine)
        await page.go_back()
        await expect(page.locator("[name=password]")).to_be_visible()


async def test_a_stolen_session_ends_with_the_password(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another browser is out at its next step, and its open stream ends as well; so by a change, so by a reset."""
    monkeypatch.setattr(guard_stream, "EVERY", 0.0)
    async with fresh(attack) as thief, fresh(attack) as owner:
        stolen, own = await signed_in(thief, attack.site), await signed_in(owner, attack.site)
        await expect(stolen.page.locator("[data-touch=connected]")).to_be_attached()
        await own.page.goto(attack.site.at("/begin/password"))
        for name, value in (("current", PASSWORD), ("password", OTHER), ("repeated", OTHER)):
            await own.page.fill(f"main [name={name}]", value)
        await own.page.locator("main form button").click()
        await own.page.wait_for_url(attack.site.at("/"))
        await expect(stolen.page.locator("[data-touch=lost]")).to_be_attached()
        await stolen.page.goto(attack.site.at("/events"))
        await stolen.page.wait_for_url(attack.site.at("/sign-in?next=/events"))
        mine = await session_of(attack, owner)
        assert await opens(attack, mine)
        await own.page.goto(attack.site.at(attack.site.agent.link.renew()))
        for name in ("password", "repeated"):
            await own.page.fill(f"main [name={name}]", PASSWORD)
        await own.page.locator("main form button").click()
        await own.page.wait_for_url(attack.site.at("/"))
        assert not await opens(attack, mine)
    await attack.site.agent._opened.people.set_password("ann", PASSWORD_HASH, now=attack.site.agent._clock.now())

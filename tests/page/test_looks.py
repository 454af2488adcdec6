"""How every page looks: in light, in dark and at 360 px, without overflow, without an accessibility rule broken."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from store.log import Filter
from tests.page.browser import Site, Watched, needs_chromium, open_browser, open_site, open_tab, signed_in
from tests.page.scene import furnish
from tests.whole.destination import Destination

pytestmark = [pytest.mark.anyio, needs_chromium]

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = ROOT / ".cache" / "looks"
FURNISHED = {
    "home": "/",
    "touchpoints": "/touchpoints",
    "touchpoint": "/touchpoints/orders",
    "touchpoint-setup": "/touchpoints/payments",
    "touchpoint-try": "/touchpoints/orders/try",
    "destination": "/touchpoints/stock/to/warehouse",
    "destination-new": "/touchpoints/orders/add/http",
    "events": "/events",
    "events-none": "/events?reference=nothing",
    "events-wrong": "/events?since=nonsense",
    "event": "/events/{given_up}",
    "event-refused": "/events/{refused}",
    "deed": "/events/act/replay?state=given_up",
    "search": "/search?q=kettle",
    "export": "/export",
    "settings": "/settings",
    "storage": "/settings/storage",
    "access": "/settings/access",
    "people": "/settings/people",
    "audit": "/settings/audit",
    "about": "/settings/about",
    "password": "/begin/password",
    "arrival": "/begin/arrival",
    "first-touchpoint": "/begin/touchpoint",
    "waiting": "/begin/touchpoint/orders",
    "sign-out": "/sign-out",
    "missing": "/nowhere",
}
EMPTY = {"home": "/", "touchpoints": "/touchpoints", "events": "/events", "export": "/export", "waiting": "/begin/touchpoint"}
SIZES = {"light": (1280, 900), "dark": (1280, 900), "narrow": (360, 780)}
MEASURE = """() => ({
  wide: document.documentElement.scrollWidth - innerWidth,
  who: [...document.querySelectorAll("main *, header *, footer *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 4)
    .map((one) => one.tagName + "." + one.className),
})"""
RULES: dict[str, dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast"]},
    "narrow": {"runOnly": ["target-size", "scrollable-region-focusable"]},
}
INSPECT = """async (which) => (await axe.run(document, {...which, resultTypes: ["violations"]})).violations.map((one) =>
  one.id + " (" + one.impact + "): " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | "))"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, for one test."""
    async with open_browser() as made:
        yield made


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_of_a_furnished_site(
    browser: Browser, tmp_path: Path, free_port: Callable[[], int], size: str
) -> None:
    """Nothing overflows, no rule of accessibility is broken, the console is silent; the pictures are kept to be looked at."""
    works, fails = Destination(port=free_port()).start(), Destination(port=free_port(), status=422).start()
    async with AsyncExitStack() as stack:
        stack.callback(works.stop)
        stack.callback(fails.stop)
        site = await stack.enter_async_context(open_site(tmp_path / "data"))
        await furnish(site, tmp_path, free_port(), works, fails)
        ids = await noted(site)
        pages = {name: path.format(**ids) for name, path in FURNISHED.items()}
        wrong = await look_at(browser, site, pages, size)
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("size", ["light", "narrow"])
async def test_every_list_while_it_is_empty(browser: Browser, tmp_path: Path, size: str) -> None:
    """Before anything has come, each page says warmly what will be there."""
    async with open_site(tmp_path / "data") as site:
        wrong = await look_at(browser, site, EMPTY, size, prefix="empty-")
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("size", SIZES)
async def test_the_door(browser: Browser, tmp_path: Path, size: str) -> None:
    """The sign-in, before and after the first password, and the setup link."""
    async with open_site(tmp_path / "data", person=None) as site:
        pages = {"sign-in-first": "/sign-in", "setup": site.agent.link.renew()}
        wrong = await look_at(browser, site, pages, size, person=False)
        assert not wrong, "\n".join(wrong)


async def noted(site: Site) -> dict[str, str]:
    """The ids of one event that was given up and one that was refused."""
    found: dict[str, str] = {}
    for one in await site.agent._desk.log().events(Filter(), limit=50):
        kind = "refused" if one.event.verdict.value == "refused" else "given_up" if one.event.reference is None else "fine"
        found.setdefault(kind, one.event.id)
    return found


async def look_at(
    browser: Browser, site: Site, pages: dict[str, str], size: str, *, prefix: str = "", person: bool = True
) -> list[str]:
    """Open each page and say what is wrong with it."""
    width, height = SIZES[size]
    scheme: Any = "dark" if size == "dark" else "light"
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
    )
    watched: Watched = await (signed_in(context, site) if person else open_tab(context))
    wrong: list[str] = []
    for name, path in pages.items():
        answer = await watched.page.goto(site.at(path))
        if answer is None or answer.status >= 500:
            wrong.append(f"{name}: it answered {answer and answer.status}")
        wrong += [f"{name}: {one}" for one in await trouble(watched.page, size, f"{prefix}{name}.png")]
    await context.close()
    return wrong + watched.wrong


async def trouble(page: Page, size: str, name: str) -> list[str]:
    """What overflows and which rules are broken; a picture is kept."""
    await page.wait_for_function("document.documentElement.classList.contains('scripts')")
    picture = LOOKS / size / name
    picture.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=picture, full_page=True)
    measured = await page.evaluate(MEASURE)
    wrong = [f"{measured['wide']} px too wide by {measured['who']}"] if measured["wide"] > 0 else []
    if AXE.exists():
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        wrong += await page.evaluate(INSPECT, RULES[size])
    return wrong

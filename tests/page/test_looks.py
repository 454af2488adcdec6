"""How every page looks: in light, in dark and at 360 px, without overflow, without an accessibility rule broken."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page

from store.log import Filter
from tests.appliance.agents import TOUCHPOINT, apply, direct
from tests.page.browser import Site, Watched, keep_picture, needs_chromium, open_browser, open_site, open_tab, signed_in
from tests.page.doorstep import PASSWORD_HASH
from tests.page.scene import furnish
from tests.page.standings import CODE, RECOVERY_KEY, STATE, standings
from tests.web.api.stand_in import StandInMembership
from tests.whole.destination import Destination
from web.membership import Standing
from web.page.mode import MODES
from web.page.settings.section import TABS, address

pytestmark = [pytest.mark.anyio, needs_chromium]

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
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
    "event-beside": "/events?open={given_up}",
    "deed": "/events/act/replay?state=given_up",
    "search": "/search?q=kettle",
    "search-bodies": "/search/bodies?q=kettle&since=24h",
    "export": "/export",
    **{f"settings-{tab}": address(tab) for tab in TABS},
    "password": "/begin/password",
    "arrival": "/begin/arrival",
    "touchpoint-events": "/touchpoints/orders?box=events",
    "touchpoint-more": "/touchpoints/orders?box=more",
    "touchpoint-secrets": "/touchpoints/orders?box=sender",
    "sender": "/touchpoints/orders/sender",
    "sender-change": "/touchpoints/orders/sender?to=sendgrid",
    "picker": "/begin/touchpoint",
    "add-shopify": "/begin/touchpoint?provider=shopify",
    "add-generic": "/begin/touchpoint?provider=generic",
    "add-meta": "/begin/touchpoint?provider=meta",
    "waiting-secret": "/begin/touchpoint/payments",
    "waiting": "/begin/touchpoint/orders",
    "sign-out": "/sign-out",
    "missing": "/nowhere",
}
EMPTY = {
    "home": "/",
    "touchpoints": "/touchpoints",
    "events": "/events",
    "export": "/export",
    "first-touchpoint": "/begin/touchpoint",
    "arrival": "/begin/arrival",
}
SIZES: dict[str, tuple[Any, int, int, dict[str, list[str]]]] = {  # colours, width, height, and which rules are looked at
    "light": ("light", 1280, 900, {}),
    "dark": ("dark", 1280, 900, {"runOnly": ["color-contrast"]}),
    "narrow": ("light", 360, 780, {"runOnly": ["target-size", "scrollable-region-focusable"]}),
}
MEASURE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done({
  wide: document.documentElement.scrollWidth - innerWidth,
  who: [...document.querySelectorAll("main *, header *, footer *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 4)
    .map((one) => one.tagName + "." + one.className),
  twice: [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, at, all) => all.indexOf(id) < at),
}))))"""
INSPECT = """async (which) => (await axe.run(document, {...which, resultTypes: ["violations"]})).violations.map((one) =>
  one.id + " (" + one.impact + "): " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | "))"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with open_browser() as made:
        yield made


def test_the_rules_of_accessibility_are_here() -> None:
    """Without axe nothing would be looked at."""
    assert AXE.is_file(), "axe-core is missing: run python3 build.py test"


@pytest.mark.timeout(120)
async def test_every_page_of_a_furnished_site(browser: Browser, tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Nothing overflows, no rule of accessibility is broken, the console is silent."""
    works, fails = Destination(port=free_port()).start(), Destination(port=free_port(), status=422).start()
    async with AsyncExitStack() as stack:
        stack.callback(works.stop)
        stack.callback(fails.stop)
        site = await stack.enter_async_context(open_site(tmp_path / "data"))
        await furnish(site, tmp_path, free_port(), works, fails)
        await site.agent._opened.people.set_password("bob", PASSWORD_HASH, now=0)
        ids = await noted(site)
        pages = {name: path.format(**ids) for name, path in FURNISHED.items()}
        wrong = await look_at(browser, site, pages)
        assert not wrong, "\n".join(wrong)


async def test_every_list_while_it_is_empty(browser: Browser, tmp_path: Path) -> None:
    """Before anything has come, each page says warmly what will be there."""
    async with open_site(tmp_path / "data") as site:
        wrong = await look_at(browser, site, EMPTY, prefix="empty-")
        assert not wrong, "\n".join(wrong)


@pytest.mark.timeout(180)
async def test_every_state_of_the_proxy(browser: Browser, tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Paired or not, connected or not, with everything that a person may have to do there; and a switch, told beforehand."""
    async with open_site(tmp_path / "data") as site:
        now = site.agent._clock.now()
        states, member = standings(now), StandInMembership()
        object.__setattr__(site.agent._desk, "membership", member)
        assert (await apply(site.agent, direct(free_port()) + TOUCHPOINT)).problems == ()
        urls = {
            one.id: f"https://acme.proxy.example.net/{one.name}/{'k7' * 16}" for one in site.agent.configuration.touchpoints
        }

        def as_it_is(name: str) -> None:
            standing, member.told = states.get(name.partition(",")[2], (Standing(), STATE))
            member.stands = replace(standing, urls=urls if "coming" not in name and standing.paired else {})

        pages = {
            "pair": "/settings/proxy",
            "pair-first": "/settings/proxy?to=proxy",
            "mode-unpaired": "/settings/mode?to=proxy",
        }
        wrong = await look_at(browser, site, pages, prefix="proxy-", before=as_it_is)
        pages = {f"direct-{to},off": f"/settings/mode?to={to}" for to in MODES}
        pages |= {"direct,off": "/settings/proxy", "direct-begin,off": "/begin/arrival", "settings,proxy-closing": "/settings"}
        pages |= {"touchpoint,proxy-closing": "/touchpoints/orders"}
        wrong += await look_at(browser, site, pages, prefix="proxy-", before=as_it_is)
        await apply(site.agent, '[agent]\nmode = "both"\n')
        pages = {f"both,{name}": "/settings/proxy" for name in states}
        pages |= {f"home,{name}": "/" for name in ("connected", "down", "troubled")}
        pages |= {
            "settings,connected": "/settings",
            "list,connected": "/touchpoints",
            "mode,connected": "/settings/mode?to=direct",
        }
        pages |= {"touchpoint,connected": "/touchpoints/orders?box=url", "coming,connected": "/touchpoints/orders"}
        wrong += await look_at(browser, site, pages, prefix="proxy-", before=as_it_is)
        await apply(site.agent, '[agent]\nmode = "proxy"\n')
        pages = {f"proxy-home,{name}": "/" for name in ("connected", "standby", "direct-closing", "waiting-key", "down")}
        pages |= {
            "unpaired-home": "/",
            "touchpoint,direct-closing": "/touchpoints/orders",
            "list,direct-closing": "/touchpoints",
        }
        pages |= {"waiting,connected": "/begin/touchpoint/orders", "settings,direct-closing": "/settings"}
        wrong += await look_at(browser, site, pages, prefix="proxy-", before=as_it_is)
        assert not wrong, "\n".join(wrong)


async def test_every_way_of_waiting(browser: Browser, tmp_path: Path, free_port: Callable[[], int]) -> None:
    """A refused event told in detail, a wrong method, a secret that the sender set itself, a provider that signs little."""
    port = free_port()
    text = "".join(f'[[touchpoint]]\nname = "{name}"\nprovider = "{name}"\n' for name in ("notion", "mailgun", "sendgrid"))
    text += '[[touchpoint]]\nname = "orders"\nprovider = "shopify"\nsecrets = ["hush-hush"]\n'
    async with open_site(tmp_path / "data") as site, httpx.AsyncClient() as sender:
        assert (await apply(site.agent, direct(port) + text)).problems == ()
        hooks = f"http://127.0.0.1:{port}/hooks"
        await sender.post(f"{hooks}/notion", json={"verification_token": "secret_" + "k7" * 20})
        await sender.post(f"{hooks}/orders", content=b"{}", headers={"x-hub-signature-256": "sha256=" + "ab" * 32})
        assert site.agent._works is not None
        await site.agent._refusals.flush(site.agent._works.events.inbox)
        await sender.get(f"{hooks}/orders")
        pages = {f"waiting-{name}": f"/begin/touchpoint/{name}" for name in ("notion", "mailgun", "sendgrid", "orders")}
        pages |= {
            "touchpoint-captured": "/touchpoints/notion",
            "home-captured": "/",
            "add-mailgun": "/begin/touchpoint?provider=mailgun",
        }
        wrong = await look_at(browser, site, pages, prefix="first-")
        assert not wrong, "\n".join(wrong)


async def test_the_recovery_key(browser: Browser, tmp_path: Path) -> None:
    """It stands in the answer to a form, so it has no address to open."""
    async with open_site(tmp_path / "data") as site:
        object.__setattr__(site.agent._desk, "membership", StandInMembership(recovery_key=RECOVERY_KEY))
        context = await browser.new_context(reduced_motion="reduce", locale="en-GB")
        watched = await signed_in(context, site)
        await watched.page.goto(site.at("/settings/proxy"))
        await watched.page.fill("[name=url]", "https://proxy.example.net")
        await watched.page.fill("[name=code]", CODE)
        await watched.page.click("main button.go")
        await watched.page.wait_for_selector(".recovery-key")
        await watched.page.evaluate(AXE.read_text(encoding="utf-8"))
        wrong = [f"{size}: {one}" for size in SIZES for one in await trouble(watched.page, size, "proxy-key.png")]
        await context.close()
        assert not wrong + watched.wrong, "\n".join(wrong)


async def test_the_door(browser: Browser, tmp_path: Path) -> None:
    """The sign-in, before and after the first password, and the setup link."""
    async with open_site(tmp_path / "data", person=None) as site:
        pages = {"sign-in-first": "/sign-in", "setup": site.agent.link.renew()}
        wrong = await look_at(browser, site, pages, person=False)
        await site.agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        wrong += await look_at(browser, site, {"sign-in": "/sign-in"}, person=False)
        assert not wrong, "\n".join(wrong)


async def noted(site: Site) -> dict[str, str]:
    """The ids of one event that was given up and one that was refused."""
    found: dict[str, str] = {}
    for one in await site.agent._desk.log().events(Filter(), limit=50):
        kind = "refused" if one.event.verdict.value == "refused" else "given_up" if one.event.reference is None else "fine"
        found.setdefault(kind, one.event.id)
    return found


async def look_at(
    browser: Browser,
    site: Site,
    pages: dict[str, str],
    *,
    prefix: str = "",
    person: bool = True,
    before: Callable[[str], object] = str,
) -> list[str]:
    """Open each page once, turn it dark and make it narrow, and say what is wrong with it."""
    context = await browser.new_context(reduced_motion="reduce", locale="en-GB")
    watched: Watched = await (signed_in(context, site) if person else open_tab(context))
    wrong: list[str] = []
    for name, path in pages.items():
        before(name)
        await show_as(watched.page, "light")
        answer = await watched.page.goto(site.at(path))
        if answer is None or answer.status >= 500:
            wrong.append(f"{name}: it answered {answer and answer.status}")
        await watched.page.wait_for_selector("html.scripts", state="attached")
        await watched.page.evaluate(AXE.read_text(encoding="utf-8"))
        for size in SIZES:
            wrong += [f"{name}, {size}: {one}" for one in await trouble(watched.page, size, f"{prefix}{name}.png")]
    await context.close()
    return wrong + watched.wrong


async def show_as(page: Page, size: str) -> None:
    """Turn the page to these colours and this size."""
    colours, width, height, _ = SIZES[size]
    await page.emulate_media(color_scheme=colours)
    await page.set_viewport_size({"width": width, "height": height})


async def trouble(page: Page, size: str, name: str) -> list[str]:
    """What overflows, which id is there twice and which rules are broken."""
    await show_as(page, size)
    measured = await page.evaluate(MEASURE)
    await keep_picture(page, f"{size}/{name}")
    wrong = [f"{measured['wide']} px too wide by {measured['who']}"] if measured["wide"] > 0 else []
    wrong += [f"the id {one} is there twice" for one in measured["twice"]]
    return wrong + list(await page.evaluate(INSPECT, SIZES[size][3]))

"""A proxy's page that its operator is signed in to, with a hostile agent's words on it, and the attacker's site beside it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Dialog, Page

from appliance.proxy.server import ProxyServer
from store.remote import Remote
from tests.free_port import free_port
from tests.page.attacker import MARK, RESOLVE, WATCH, EvilSite, Overheard
from tests.page.browser import PATIENCE, Watched, open_browser, signed_in
from tests.page.doorstep import PASSWORD_HASH
from tests.web.proxy.kit import MACHINE, Puller, proxy_over
from web.listener.server import Listener

NAME = f'"><{MARK}></{MARK}><img src=x onerror=alert(1)>{{{{7*7}}}}'
VERSION = f"<{MARK}></{MARK}><svg onload=alert(2)>"  # as `User-Agent`, of which forty characters are kept
SCREENS = [
    "/",
    "/organisations/acme",
    "/add-organisation",
    "/settings",
    "/settings/people",
    "/settings/audit",
    "/settings/about",
    "/begin/server",
]


@dataclass(kw_only=True)
class OperatorSite:
    """A proxy whose page is open at an address of its own."""

    role: ProxyServer
    address: str

    def at(self, path: str) -> str:
        """The whole address of a path."""
        return self.address + path


@asynccontextmanager
async def open_operator_site(folder: Path) -> AsyncIterator[tuple[OperatorSite, Puller]]:
    """A running proxy, its page's listener, and an agent of acme; ann has a password."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(proxy_over(folder, free_port()))
        role = proxy.role
        await role.opened.people.set_password("ann", PASSWORD_HASH, now=role._clock.now())
        agent = await proxy.join(await proxy.organisation("acme"), name=NAME)
        agent.remote = Remote(proxy.http, agent.pairing, version=VERSION, count_from=role._clock.now())
        await agent.declare("orders")
        spare = await proxy.join((await role.control.code("acme", replaces="", actor=MACHINE)).text, name=f"{NAME} spare")
        await role.control.revoke("acme", spare.pairing.agent_id, actor=MACHINE)
        await agent.pull(paused="pwned", lacking=("orders",))
        listener = await Listener.open(role.local, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{listener.address[1]}"
        role.page = role.loopback = address
        try:
            yield OperatorSite(role=role, address=address), agent
        finally:
            role._live.close()
            await listener.close(grace=0.5)


@dataclass(kw_only=True)
class Siege(Overheard):
    """An operator who is signed in, in a browser that has the attacker's site open too."""

    site: OperatorSite
    agent: Puller
    browser: Browser
    evil: EvilSite
    victim: BrowserContext
    screen: Watched
    dialogs: list[str] = field(default_factory=list)

    async def opened(self, dialog: Dialog) -> None:
        """Keep what a dialog said: a script of a stranger's ran."""
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    async def state(self) -> dict[str, Any]:
        """All that an attack could change."""
        role = self.site.role
        people = role.opened.people
        return {
            "configuration": await role.control.show(),
            "organisations": [
                (one.name, one.own_events, [replace(agent, last_seen_at=0, connected=False) for agent in one.agents])
                for one in await role.control.organisations()
            ],
            "people": await people.persons(),
            "tokens": [one.name for one in await people.tokens()],
            "audit": [(line.actor, line.action) for _, line in await people.audited(limit=500)],
        }

    @asynccontextmanager
    async def unmoved(self, host: str) -> AsyncIterator[Page]:
        """The attacker's page in the operator's browser; afterwards nothing has changed and the operator is signed in."""
        before = await self.state()
        page = await self.victim.new_page()
        page.set_default_timeout(PATIENCE)
        await page.goto(self.evil.at(host))
        self.forget()
        yield page
        await page.close()
        assert await self.state() == before
        answer = await self.screen.page.goto(self.site.at("/settings/people"))
        assert answer is not None
        assert (answer.status, answer.url) == (200, self.site.at("/settings/people"))


@asynccontextmanager
async def open_siege(folder: Path) -> AsyncIterator[Siege]:
    """Page, browser, operator and attacker, ready."""
    async with AsyncExitStack() as stack:
        evil = EvilSite()
        stack.callback(evil.close)
        site, agent = await stack.enter_async_context(open_operator_site(folder / "proxy"))
        browser = await stack.enter_async_context(open_browser(RESOLVE))
        victim = await browser.new_context(locale="en-GB")
        await victim.add_init_script(WATCH)
        screen = await signed_in(victim, site)
        siege = Siege(site=site, agent=agent, browser=browser, evil=evil, victim=victim, screen=screen)
        victim.on("response", siege.hear)
        victim.on("dialog", siege.opened)
        yield siege

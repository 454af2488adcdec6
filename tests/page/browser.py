"""A real browser in front of a whole agent that listens: Debian's chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from appliance.agent import Agent
from appliance.clock import Clock
from tests.appliance.agents import agent_over
from tests.page.doorstep import PASSWORD, PASSWORD_HASH
from web.listener.server import Listener

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 8000  # milliseconds
LOOKS = os.environ.get("LOOKS", "")  # a folder for pictures of the screens, where somebody wants to look at them


class Address(Protocol):
    """A page, an agent's or a proxy's."""

    @property
    def address(self) -> str:
        """Where it is, without a path."""

    def at(self, path: str) -> str:
        """The whole address of a path."""


@dataclass(kw_only=True)
class Site:
    """An agent whose page is open at an address of its own."""

    agent: Agent
    address: str

    def at(self, path: str) -> str:
        """The whole address of a path."""
        return self.address + path


@dataclass(kw_only=True)
class Watched:
    """A tab, and what went wrong in it: errors of the console, of scripts and of the content policy, and failed requests."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the console says as an error or a warning; an answer that is no success is the test's to judge."""
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.wrong.append(f"{urlsplit(self.page.url).path}: {message.text}")

    def fell(self, error: Exception) -> None:
        """Keep what a script threw."""
        self.wrong.append(f"{urlsplit(self.page.url).path}: {error}")


@asynccontextmanager
async def open_site(folder: Path, *, person: str | None = "ann", clock: Clock | None = None) -> AsyncIterator[Site]:
    """A running agent and its page's listener; ann has a password unless told otherwise."""
    async with agent_over(folder, clock=clock) as agent:
        if person:
            await agent._opened.people.set_password(person, PASSWORD_HASH, now=agent._clock.now())
        listener = await Listener.open(agent.local, "127.0.0.1", 0)
        try:
            address = f"http://127.0.0.1:{listener.address[1]}"
            agent.page = agent.loopback = address
            yield Site(agent=agent, address=address)
        finally:
            agent._live.close()
            await listener.close(grace=0.5)


@asynccontextmanager
async def open_browser(*arguments: str) -> AsyncIterator[Browser]:
    """Chromium without a window; `arguments` are added to its command line."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            await browser.close()


async def open_tab(context: BrowserContext) -> Watched:
    """A tab whose troubles are kept."""
    context.set_default_timeout(PATIENCE)
    watched = Watched(page=await context.new_page())
    watched.page.on("console", watched.hear)
    watched.page.on("pageerror", watched.fell)
    return watched


async def signed_in(context: BrowserContext, site: Address) -> Watched:
    """A tab in which ann has signed in by the form."""
    watched = await open_tab(context)
    page = watched.page
    await page.goto(site.at("/sign-in"))
    await page.fill("[name=name]", "ann")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button")
    await page.wait_for_url(site.at("/"))
    return watched


async def keep_picture(page: Page, name: str) -> None:
    """Paint the whole page into the folder for pictures, where there is one."""
    if LOOKS:
        await page.screenshot(path=Path(LOOKS) / name, full_page=True)


async def send(url: str, bodies: Sequence[bytes], headers: dict[str, str]) -> list[int]:
    """Post webhooks as a sender does; the answers' statuses."""
    async with httpx.AsyncClient() as sender:
        return [(await sender.post(url, content=body, headers=headers)).status_code for body in bodies]

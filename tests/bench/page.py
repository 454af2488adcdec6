"""The page: how soon a browser paints something, signed in, with events in the list."""

import asyncio
import os
import re
from statistics import median

from playwright.async_api import Page

from tests.bench.children import BenchError, finished, module, running, scratch
from tests.bench.figures import Report
from tests.bench.subject import HOOKPORT, Subject
from tests.free_port import free_port
from tests.page.browser import CHROMIUM, open_browser
from tests.page.doorstep import PASSWORD

ROWS = 50
MOST_MS = 100
PAINTED = """() => new Promise((done) => {
  const told = () => performance.getEntriesByName("first-contentful-paint")[0];
  const answered = performance.getEntriesByType("navigation")[0].responseStart;
  const tell = () => told() ? done([told().startTime, answered]) : requestAnimationFrame(tell);
  tell();
})"""


def page(*, short: bool) -> Report:
    """Loads of the home screen and of the events, one after another."""
    if CHROMIUM is None:
        raise BenchError("chromium is not installed: apt-get install chromium")
    with scratch() as folder:
        port = free_port()
        subject = Subject(folder / "hookport", sink=port)
        ready = f"http://127.0.0.1:{port}/"
        with running(module("tests.bench.sink", str(port)), log=folder / "sink.log", ready=ready), subject.started():
            live = subject.place("live")
            for _ in range(ROWS):
                subject.post_one("live")
            subject.await_delivered(live)
            told = finished([*HOOKPORT, "admin", "reset", "--data-dir", str(subject.data)], seconds=60)
            link = re.search(r"/setup/[\w-]+", told)
            if link is None:
                raise BenchError(f"no setup link was printed: {told}")
            return asyncio.run(_measure(subject.page, link[0], 3 if short else 10))


async def _measure(address: str, link: str, loads: int) -> Report:
    report = Report()
    async with open_browser() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        tab = await context.new_page()
        await tab.goto(address + link)
        for name, value in (("name", "ann"), ("password", PASSWORD), ("repeated", PASSWORD)):
            await tab.fill(f"[name={name}]", value)
        await tab.click("main button")
        await tab.wait_for_url("**/begin/arrival")
        for label, path in (("home", "/"), ("events", "/events")):
            await _painted(tab, address + path, address + "/settings")  # what a browser keeps, it has from here on
            found = [await _painted(tab, address + path, address + "/settings") for _ in range(loads)]
            report.add(f"{label}: first paint", median(one[0] for one in found), "ms", target=MOST_MS, at_most=True)
            report.add(f"{label}: slowest first paint", max(one[0] for one in found), "ms")
            report.add(f"{label}: first byte", median(one[1] for one in found), "ms")
        rows = await tab.locator("[data-row]").count()
        if rows != ROWS:
            raise BenchError(f"the list has {rows} rows")
    if hasattr(os, "getloadavg"):
        report.notes.append(f"load of the machine while measuring: {os.getloadavg()[0]:.1f}")
    report.notes.append(f"median of {loads} loads in Chromium at 1280 px, {ROWS} rows, signed in, files cached")
    return report


async def _painted(tab: Page, address: str, elsewhere: str) -> tuple[float, float]:
    """Milliseconds to the first contentful paint and to the first byte, coming from another screen as people do."""
    await tab.goto(elsewhere)
    await tab.goto(address)
    painted, answered = await tab.evaluate(PAINTED)
    return painted, answered

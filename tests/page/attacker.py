"""The attacker: sites of other names and ports that the victim's browser has open, beside a page it is signed in to."""

import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, BrowserContext, Response

from store.log import Filter
from tests.page.browser import PATIENCE, Address, Site, Watched, open_browser, open_site, signed_in

EVIL = "evil.test"  # the browser resolves it to this machine
MARK = "pwn-ed"  # an element that only a stranger's markup makes
RESOLVE = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"

# Set before any script of a page: what a script of a stranger would touch, and every violation of the content policy.
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (one) => {
  window.__violations.push(one.violatedDirective + " " + one.blockedURI);
});
"""
FOUND = f"""() => ({{
  ran: window.__pwned === true,
  made: document.querySelectorAll("{MARK}, main img, main svg script, main iframe, main object").length,
  violations: window.__violations,
}})"""


class EvilSite:
    """A web server of the attacker's on loopback. Every path is an empty page that may be read from anywhere.

    `/to?url=U&status=S` redirects, `/cookie?set=C` sets a cookie, `/worker.js` is a script; `got` holds what was asked of it.
    """

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.rfile.read(int(self.headers.get("content-length", "0")))
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                body = b"" if path == "/worker.js" else b"<!doctype html><title>evil</title>"
                self.send_response(int(query.get("status", ["200"])[0]))
                for name, key in (("location", "url"), ("set-cookie", "set")):
                    for value in query.get(key, []):
                        self.send_header(name, value)
                self.send_header("content-type", "text/javascript" if path == "/worker.js" else "text/html")
                self.send_header("access-control-allow-origin", "*")
                self.send_header("service-worker-allowed", "/")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the browser has gone on
                    self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the base class calls it so

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def at(self, host: str, path: str = "/") -> str:
        """An address of it under one of its names."""
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


@dataclass(kw_only=True)
class Overheard:
    """What a page answers to a browser."""

    site: Address
    answers: list[Response] = field(default_factory=list)  # since `forget`

    @property
    def port(self) -> int:
        """The page's port."""
        return int(self.site.address.rpartition(":")[2])

    def forget(self) -> None:
        """Begin to watch the answers anew."""
        self.answers.clear()

    @property
    def statuses(self) -> set[int]:
        """What the page answered to this browser; the files of a refusal's own looks left out."""
        return {one.status for one in self.answers if self.site.address not in one.request.headers.get("referer", "")}

    def hear(self, answer: Response) -> None:
        """Keep an answer of the page."""
        if urlsplit(answer.url).port == self.port:
            self.answers.append(answer)


@dataclass(kw_only=True)
class Attack(Overheard):
    """A victim who is signed in to a running page, in a browser that has the attacker's site open too."""

    site: Site
    browser: Browser
    evil: EvilSite
    victim: BrowserContext
    screen: Watched  # the tab the victim signed in with

    async def state(self) -> dict[str, Any]:
        """All that an attack could change: configuration, people, tokens, events, audit."""
        desk = self.site.agent._desk
        listed = await desk.log().events(Filter(tests=True), limit=200)
        return {
            "configuration": await desk.control.show(),
            "people": await desk.people.persons(),
            "tokens": [one.name for one in await desk.people.tokens()],
            "events": [(one.event.id, one.flags, [(to.state, to.run) for to in one.deliveries]) for one in listed],
            "audit": [(line.actor, line.action) for _, line in await desk.people.audited(limit=500)],
        }


@asynccontextmanager
async def open_attack(folder: Path) -> AsyncIterator[Attack]:
    """Page, browser, victim and attacker, ready."""
    async with AsyncExitStack() as stack:
        evil = EvilSite()
        stack.callback(evil.close)
        site = await stack.enter_async_context(open_site(folder / "data"))
        browser = await stack.enter_async_context(open_browser(RESOLVE))
        victim = await browser.new_context(locale="en-GB")
        await victim.add_init_script(WATCH)
        attack = Attack(site=site, browser=browser, evil=evil, victim=victim, screen=await signed_in(victim, site))
        victim.on("response", attack.hear)
        yield attack


async def harmless(tab: Watched) -> list[str]:
    """What a stranger's words did to the screen a tab shows: nothing, or each thing it should not."""
    tab.page.set_default_timeout(PATIENCE)
    found = await tab.page.evaluate(FOUND)
    path = urlsplit(tab.page.url).path
    wrong = [f"{path}: a script ran"] if found["ran"] else []
    wrong += [f"{path}: {found['made']} foreign elements"] if found["made"] else []
    return wrong + [f"{path}: {one}" for one in found["violations"] or ()]

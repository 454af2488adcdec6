"""The stranger: senders and destinations that put markup wherever there is room for a word."""

import asyncio
import json
import ssl
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import trustme
from playwright.async_api import Dialog, expect

from tests.appliance.agents import apply, direct
from tests.free_port import free_port
from tests.page.attacker import MARK, Attack, harmless, open_attack
from tests.page.browser import Watched
from tests.page.doorstep import OWN_FORM

TEMPLATE = "{{7*7}}{x.__class__}%(x)s"  # what a template engine or a format string would fill
JUNK = (
    f'{TEMPLATE}"\'><{MARK}></{MARK}><img src=x onerror="window.__pwned=true;alert(1)"></title></textarea></pre></script>'
    "<script>window.__pwned=true</script><svg onload=alert(2)>"
)
SCRIPT = b"window.__pwned = true; alert(3)"
BODIES: dict[str, bytes] = {
    "text/html": f"<!doctype html><title>x</title>{JUNK}".encode(),
    "image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script>{JUNK}'.encode(),
    "application/json": json.dumps({"ref": JUNK, JUNK: [JUNK, {"</script>": "<!--"}]}).encode(),
    "application/xml": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;{JUNK}</x>'.encode(),
    "application/x-www-form-urlencoded": f"a={quote(JUNK)}&{quote(JUNK)}=b".encode(),
    "text/javascript": SCRIPT,
    JUNK: b"\x00\xff<script>alert(1)</script>",
}


@dataclass
class Ears:
    """Dialogs that opened in any tab."""

    dialogs: list[str] = field(default_factory=list)

    async def hear(self, dialog: Dialog) -> None:
        """Keep what it said, and close it."""
        self.dialogs.append(dialog.message)
        await dialog.dismiss()


class Liar(BaseHTTPRequestHandler):
    """A destination that answers with markup wherever an answer has room: reason, headers, body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Refuse, as JSON or as HTML."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        told = json.dumps({"message": JUNK}) if self.path == "/json" else f"<html>{JUNK}</html>"
        self.send_response(422, f"<{MARK}>")
        for name, value in (("X-Junk", JUNK), ("Content-Type", "text/html"), ("Content-Length", str(len(told)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""


class Babbler(BaseHTTPRequestHandler):
    """A destination whose answers are no HTTP."""

    def handle(self) -> None:
        """Say something else."""
        self.request.recv(65536)
        self.request.sendall(f"HTTP/1.1 2<{MARK}>0 OK\r\n<{MARK}> : {JUNK}\r\n\r\n".encode())


def serve(stack: AsyncExitStack, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> int:
    """Serve in a thread; the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a handshake that is broken off
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    return server.server_port


def touchpoints(folder: Path, liar: int, babbler: int, tls: int) -> str:
    """A touchpoint that takes everything from anybody, and one that takes nothing."""
    ways = {"json": f"http://127.0.0.1:{liar}/json", "html": f"http://127.0.0.1:{liar}/html"}
    ways |= {"babbler": f"http://127.0.0.1:{babbler}/", "tls": f"https://127.0.0.1:{tls}/"}
    made = "".join(f'[[touchpoint.destination]]\nname = "{name}"\nkind = "http"\nurl = "{url}"\n' for name, url in ways.items())
    return f"""
[[touchpoint]]
name = "open"
provider = "generic"
event_type = "header:X-Type"
reference = "header:X-Ref|json:/ref"
verify = {{ scheme = "none", allow_unsigned = true }}
dedup = {{ key = "header:X-Id" }}
retry = {{ schedule = ["1ms"] }}
{made}
[[touchpoint.destination]]
name = "files"
kind = "folder"
path = '''{folder}'''
[[touchpoint]]
name = "locked"
provider = "generic"
verify = {{ scheme = "token", header = "X-Key" }}
secrets = ["hush-hush-hush"]
reference = "header:X-Ref"
"""


@asynccontextmanager
async def open_stranger(folder: Path, ears: Ears) -> AsyncIterator[Attack]:
    """A site that is full of a stranger's markup, and a victim who looks at it."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(open_attack(folder))
        made.victim.on("dialog", ears.hear)
        issued = trustme.CA(organization_name=f"<{MARK}>").issue_cert("evil.test", common_name=f"<{MARK}>")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        strange = folder / ("pwn'&amp;" if sys.platform == "win32" else f"<{MARK}>")
        strange.mkdir()
        liar, babbler, tls = serve(stack, Liar), serve(stack, Babbler), serve(stack, Liar, context)
        port = free_port()
        applied = await apply(made.site.agent, direct(port) + touchpoints(strange, liar, babbler, tls))
        assert applied.problems == ()
        strange.rmdir()
        await pour(made, f"http://127.0.0.1:{port}/hooks")
        yield made


async def pour(attack: Attack, hooks: str) -> None:
    """Send hostile webhooks while the victim looks at the home screen, and wait until every delivery has failed."""
    page = attack.screen.page
    await page.goto(attack.site.at("/"))
    await expect(page.locator("[data-touch=connected]")).to_be_attached()
    headers = {"x-type": JUNK, "x-ref": JUNK, "user-agent": JUNK, f"x-{MARK}": JUNK, "x-forwarded-for": f"<{MARK}>"}
    path = f"/open?{quote(JUNK)}=%3C{MARK}%3E&raw=<{MARK}>"
    async with httpx.AsyncClient() as stranger:
        for number, (media, body) in enumerate(BODIES.items()):
            sent = {**headers, "content-type": media, "x-id": f"{JUNK}{number}"}
            assert (await stranger.post(hooks + path, content=body, headers=sent)).status_code == 200
        again = {**headers, "x-id": f"{JUNK}0"}
        assert (await stranger.post(hooks + path, content=BODIES["text/html"], headers=again)).status_code == 200  # a duplicate
        assert (await stranger.post(f"{hooks}/locked", content=BODIES["text/html"], headers=headers)).status_code == 401
        for name in (f"<{MARK}>", JUNK):
            form = {"name": name, "password": JUNK, "next": JUNK}
            own = {**OWN_FORM, "origin": attack.site.address}
            assert (await stranger.post(attack.site.at("/sign-in"), data=form, headers=own)).status_code == 403
    log = attack.site.agent._desk.log()
    async with asyncio.timeout(20):
        while (await log.backlog()).given_up < len(BODIES) * 2:
            await asyncio.sleep(0.05)
    assert attack.site.agent._works is not None
    await attack.site.agent._refusals.flush(attack.site.agent._works.events.inbox)


async def looked(tab: Watched, address: str) -> list[str]:
    """What is wrong with a screen; every folded part of it is open."""
    answer = await tab.page.goto(address)
    if answer is None or answer.status >= 500:
        return [f"{address}: it answered {answer and answer.status}"]
    await tab.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return await harmless(tab)

"""An hour at a shop's back office, played by a real agent in seconds: what the pictures of the documents show."""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from appliance.clock import Clock
from store.log import Filter
from tests.appliance.agents import apply, direct
from tests.page.browser import Site, open_site
from touchpoints.delivery import DeliveryState
from touchpoints.event import Headers
from touchpoints.moment import MINUTE, Micros
from touchpoints.sign import sign

PUBLIC = "https://hooks.example.com"
LAST = 1042  # the order whose article the ERP does not know
MINUTES = 58
BODIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "orders": lambda number: {
        "id": 820_982_911_946_000 + number,
        "name": f"#{number}",
        "currency": "EUR",
        "total_price": f"{38 + number * 7 % 160}.{number * 13 % 100:02}",
        "customer": {"first_name": "Ada", "last_name": "Holm", "email": "ada@example.com"},
        "line_items": [{"sku": "88-12" if number == LAST else "71-04", "title": "Copper kettle", "quantity": 1 + number % 3}],
    },
    "payments": lambda number: {
        "id": f"evt_{hashlib.sha256(str(number).encode()).hexdigest()[:16]}",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": f"pi_{number:08}", "amount": 3800 + number * 70, "currency": "eur"}},
    },
    "customers": lambda number: {"id": number, "email": f"customer{number}@example.com", "billing": {"city": "Bergen"}},
    "stock": lambda number: {"id": f"stock-{number}", "sku": f"71-{number % 40:02}", "available": number % 25},
}
HEADERS: dict[str, Headers] = {"customers": ((b"x-wc-webhook-topic", b"customer.updated"),)}
TEXT = """
[[touchpoint]]
name = "orders"
provider = "shopify"
secrets = ["hush-orders"]
retry = {{ schedule = ["5m", "30m", "2h", "5h"] }}
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "{erp}/orders"
[[touchpoint]]
name = "payments"
provider = "stripe"
secrets = ["whsec_hush"]
[[touchpoint.destination]]
name = "ledger"
kind = "folder"
path = '{folder}'
[[touchpoint]]
name = "customers"
provider = "woocommerce"
secrets = ["hush-customers"]
[[touchpoint.destination]]
name = "crm"
kind = "http"
url = "{erp}/customers"
[[touchpoint]]
name = "stock"
provider = "generic"
verify = {{ scheme = "hmac", header = "X-Stock-Signature" }}
reference = "json:/sku"
secrets = ["hush-stock"]
retry = {{ schedule = ["30s", "5m"] }}
[[touchpoint.destination]]
name = "warehouse"
kind = "http"
url = "{erp}/stock"
"""


class Turned(Clock):
    """A clock that was turned back, and is moved on by hand; it never jumps, for both of its hands move."""

    behind: Micros = 0

    def now(self) -> Micros:
        """See Clock."""
        return super().now() - self.behind

    def steady(self) -> Micros:
        """See Clock."""
        return super().steady() - self.behind


@contextmanager
def erp_on(port: int) -> Any:
    """A back office that takes its time, knows one article not, and sometimes refuses stock."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
            time.sleep(0.004 + int(hashlib.sha256(json.dumps(body).encode()).hexdigest()[:2], 16) / 8000)
            status, said = answer_to(self.path, body)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def answer_to(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of its answer."""
    if path == "/orders" and body["line_items"][0]["sku"] == "88-12":
        return 422, b'{"message": "unknown SKU 88-12"}'
    if path == "/stock" and body["available"] == 0:
        return 409, b'{"error": "article is being counted"}'
    return 200, b'{"ok": true}'


def free(wanted: int) -> int:
    """This port, where nobody has it; else any."""
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise AssertionError("no port is free")


@asynccontextmanager
async def played_hour(folder: Path, minutes: int) -> AsyncIterator[Site]:
    """The site when the hour, or as much of it as is wanted, is over."""
    clock = Turned()
    clock.behind = minutes * MINUTE
    (folder / "ledger").mkdir(parents=True)
    async with AsyncExitStack() as stack:
        erp = stack.enter_context(erp_on(free(9000)))
        site = await stack.enter_async_context(open_site(folder / "data", clock=clock))
        port = free(8420)
        settings = direct(port).replace(f'"http://127.0.0.1:{port}"', f'"{PUBLIC}"')
        assert (await apply(site.agent, settings + TEXT.format(erp=erp, folder=folder / "ledger"))).problems == ()
        sender = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}"))
        await play(site, clock, sender, minutes)
        yield site


def came(turn: int) -> dict[str, int]:
    """How many of each came in a minute."""
    return {"orders": 1 + turn % 3, "payments": turn % 2, "customers": int(turn % 4 == 1), "stock": 1 + turn % 2}


async def play(site: Site, clock: Turned, sender: httpx.AsyncClient, minutes: int) -> None:
    """Minute for minute; what came in one is delivered before the next begins."""
    works = site.agent._works
    assert works is not None
    numbers = {
        "orders": LAST - 1 - sum(came(turn)["orders"] for turn in range(minutes)),
        "payments": 40,
        "customers": 300,
        "stock": 1,
    }
    for turn in range(minutes):
        for name, count in came(turn).items():
            for _ in range(count):
                numbers[name] += 1
                await post(site, sender, clock, name, numbers[name])
        if turn == max(0, minutes - 9):
            await post(site, sender, clock, "customers", 999, secret="an older one")
            await site.agent._refusals.flush(works.events.inbox)
        await calm(site)
        clock.behind -= MINUTE
        works.wake()
        await calm(site)
    for number in (LAST, LAST + 1, LAST + 2):
        await post(site, sender, clock, "orders", number)
    await calm(site)
    await site.agent._tally.write_down(works.events.statistics)


async def post(site: Site, sender: httpx.AsyncClient, clock: Turned, name: str, number: int, *, secret: str = "") -> None:
    """One webhook, signed as its sender signs."""
    touchpoint = next(one for one in site.agent.configuration.touchpoints if one.name == name)
    if secret:
        touchpoint = replace(touchpoint, secrets=(secret,))
    body = json.dumps(BODIES[name](number), indent=1).encode()
    now = clock.now()
    given = ((b"content-type", b"application/json"), *HEADERS.get(name, ()))
    headers = sign(touchpoint, body, given, now, f"{PUBLIC}/hooks/{name}", f"msg_{number}")
    answer = await sender.post(f"/hooks/{name}", content=body, headers=list(headers))
    assert answer.status_code == (401 if secret else 200), (name, answer.status_code, answer.text)


async def calm(site: Site) -> None:
    """Wait until everything is planned, and what is left to deliver is not due yet."""
    desk = site.agent._desk
    async with asyncio.timeout(20):
        while True:
            left = await desk.log().events(Filter(state="pending"), limit=100)
            due = [to for one in left for to in one.deliveries if to.state is DeliveryState.PENDING and to.due_at <= desk.now()]
            if not due and not any(one.waiting for one in left):
                return
            await asyncio.sleep(0.01)

"""A furnished site: touchpoints, a destination that works, one that fails, and events in every state."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

from tests.appliance.agents import apply, direct
from tests.page.browser import Site, send
from tests.whole.destination import Destination

SECRET = "hush-hush-hush"  # what the senders of these tests sign with


def shopify_headers(body: bytes, *, topic: str = "orders/create", event: str = "") -> dict[str, str]:
    """The headers Shopify sends with a body."""
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "x-shopify-hmac-sha256": base64.b64encode(mac).decode(),
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": event or hashlib.sha256(body).hexdigest()[:16],
    }


def order(number: int) -> bytes:
    """An order's webhook body."""
    items = [{"sku": "88-12", "quantity": 2, "title": "Copper kettle"}]
    return json.dumps({"id": 5_000_000 + number, "name": f"#{number}", "total_price": "118.40", "line_items": items}).encode()


def touchpoints(folder: Path, works: str, fails: str) -> str:
    """Three touchpoints as TOML text."""
    return f"""
[[touchpoint]]
name = "orders"
provider = "shopify"
secrets = ["{SECRET}"]
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "{works}"
[[touchpoint]]
name = "stock"
provider = "generic"
verify = {{ scheme = "token", header = "X-Key" }}
secrets = ["{SECRET}"]
retry = {{ schedule = ["1s"] }}
[[touchpoint.destination]]
name = "warehouse"
kind = "http"
url = "{fails}"
[[touchpoint]]
name = "payments"
provider = "stripe"
[[touchpoint.destination]]
name = "ledger"
kind = "folder"
path = '{folder}'
"""


async def furnish(site: Site, folder: Path, port: int, works: Destination, fails: Destination) -> None:
    """Fill the site."""
    (folder / "ledger").mkdir()
    applied = await apply(site.agent, direct(port) + touchpoints(folder / "ledger", works.url, fails.url))
    assert applied.problems == ()
    hooks = f"http://127.0.0.1:{port}/hooks"
    for number in range(1031, 1043):
        body = order(number)
        assert await send(f"{hooks}/orders", [body], shopify_headers(body)) == [200]
    assert await send(f"{hooks}/orders", [order(1042)], shopify_headers(order(1041))) == [401]
    for number in range(2):
        body = json.dumps({"sku": f"88-{number}", "stock": 12}).encode()
        assert await send(f"{hooks}/stock", [body], {"x-key": SECRET, "content-type": "application/json"}) == [200]
    assert site.agent._works is not None
    await site.agent._refusals.flush(site.agent._works.events.inbox)
    async with asyncio.timeout(10):
        while (await site.agent._desk.log().backlog()).given_up < 2:
            await asyncio.sleep(0.02)
    await until(lambda: len(works.got) >= 12 and len(fails.got) >= 4)


async def until(true: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for something the agent does by itself."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)

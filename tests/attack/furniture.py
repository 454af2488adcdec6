"""What stands in a folder before machines call its API: enough that most operations find something."""

from typing import Any, cast

import httpx

AGENT_FILE = """
[[touchpoint]]
name = "orders"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://127.0.0.1:1/"
"""
PROXY_FILE = """
[server]
max_age_days = 7
[[organisation]]
name = "orders"
"""


async def furnish(app: object, token: str, *, proxy: bool) -> None:
    """A touchpoint with a destination and an event, or an organisation; under one name, which the calls take."""
    transport = httpx.ASGITransport(cast(Any, app))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", headers=headers) as api:
        await _done(api, "/configuration", json={"toml": PROXY_FILE if proxy else AGENT_FILE})
        if not proxy:
            await _done(api, "/touchpoints/orders/test", content=b'{"n":1}')


async def _done(api: httpx.AsyncClient, path: str, **sent: Any) -> None:
    answer = await api.post(path, **sent)
    if not answer.is_success:
        raise AssertionError(answer.text)

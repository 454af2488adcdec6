"""A proxy whose local port is asked directly: as a program with this start's token, or as a person in a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.proxy.server import ProxyServer, open_proxy
from tests.page.doorstep import HERE, OWN_FORM, PASSWORD, PASSWORD_HASH

ORIGIN = HERE.replace("8421", "8431")


@asynccontextmanager
async def proxy_folder(folder: Path, *, person: str | None = "ann") -> AsyncIterator[ProxyServer]:
    """A proxy that is loaded and does not listen; ann has a password unless told otherwise."""
    clock = Clock()
    role = await open_proxy(DataFolder(path=folder), clock, {}, Redactor())
    try:
        await role.load()
        if person:
            await role.opened.people.set_password(person, PASSWORD_HASH, now=clock.now())
        role.loopback = ORIGIN
        yield role
    finally:
        await role.opened.close()


def program(role: ProxyServer, token: str | None = None) -> httpx.AsyncClient:
    """A program with a token; without one named, this start's."""
    headers = {"authorization": f"Bearer {token or role.machine_token}"}
    transport = httpx.ASGITransport(cast(Any, role.local))
    return httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/v1", headers=headers)


class Person:
    """Somebody at a browser, who sends forms as browsers do."""

    def __init__(self, role: ProxyServer) -> None:
        transport = httpx.ASGITransport(cast(Any, role.local), client=("127.0.0.1", 50000))
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    async def sign_in(self) -> None:
        """As ann."""
        answer = await self.post("/sign-in", name="ann", password=PASSWORD, next="/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return await self.http.get(path)

    async def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form."""
        return await self.http.post(path, data=form, headers={**OWN_FORM, "origin": ORIGIN})

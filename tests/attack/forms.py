"""The page's forms and the API's bodies, filled in by nobody sane: mangled, in parts and in one, by a signed-in person."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import httpx
from litestar import Litestar
from litestar.routes import HTTPRoute

from store.people import People
from tests.appliance.agents import TOUCHPOINT, apply
from tests.attack.mangle import mangled
from tests.operator.kit import ORIGIN, Person, proxy_folder
from tests.page.doorstep import OWN_FORM, PASSWORD_HASH, browser, doorstep, sign_in

_BOUNDARY = "mangled-boundary"
_FIELDS = {
    "name": "orders", "typed": "orders", "quota_events": "7", "quota_bytes": "2MiB", "server.port": "8430",
    "password": "x" * 14, "repeated": "x" * 14, "provider": "generic", "http.url": "http://127.0.0.1:1/",
    "http.headers": "X-A: b", "verify.scheme": "hmac", "secret": "hush", "next": "/", "since": "7d", "toml": "[agent]",
}  # fmt: skip


async def send_mangled(folder: Path, chance: Random, rounds: int, *, proxy: bool = False) -> tuple[int, list[str]]:
    """How many forms were sent, and each address that answered by a server's error, or took none."""
    sent, faults = 0, list[str]()
    async with (_operator if proxy else _person)(folder) as (person, people, app):
        await sign_in(person)
        for _ in range(rounds):
            for path in _addresses(app):
                answer = await _posted(person, path, chance)
                sent += 1
                if answer.status_code >= 500 or "another site" in answer.text:
                    faults.append(f"{path}: {answer.status_code} for {answer.request.content[:300]!r}")
                if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"):
                    await people.set_password("ann", PASSWORD_HASH, now=1)
                    await sign_in(person)
    return sent, faults


@asynccontextmanager
async def _person(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, People, Litestar]]:
    async with doorstep(folder) as agent, browser(agent) as person:
        await apply(agent, TOUCHPOINT)
        yield person, agent._opened.people, agent.local


@asynccontextmanager
async def _operator(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, People, Litestar]]:
    async with proxy_folder(folder) as role, Person(role).http as person:
        await sign_in(person)
        await person.post("/add-organisation", data={"name": "orders"}, headers={**OWN_FORM, "origin": ORIGIN})
        yield person, role.opened.people, role.local


def _addresses(app: Litestar) -> Iterator[str]:
    """Every address that takes a form or a JSON body; a name in it is the touchpoint's, or the organisation's."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "POST" in route.methods and "sign-out" not in route.path:
            yield (
                route.path_format.replace("{name}", "orders")
                .replace("{touchpoint}", "orders")
                .replace("{", "")
                .replace("}", "")
            )


async def _posted(person: httpx.AsyncClient, path: str, chance: Random) -> httpx.Response:
    kind, content = chance.choice(_written())
    headers = {
        **OWN_FORM,
        "origin": str(person.base_url),
        "content-type": chance.choice((kind, kind, kind, *(one for one, _ in _written()))),
    }
    return await person.post(path, content=mangled(chance, [content]), headers=headers)


def _written() -> list[tuple[str, bytes]]:
    parts = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.json"\r\n\r\n{value}\r\n'
        for name, value in _FIELDS.items()
    )
    return [
        ("application/x-www-form-urlencoded", urlencode(_FIELDS).encode()),
        (f"multipart/form-data; boundary={_BOUNDARY}", f"{parts}--{_BOUNDARY}--\r\n".encode()),
        ("application/json", b'{"name":"orders","toml":"[agent]","ids":["a"],"all":true,"data":{"n":[1,2.5,null]}}'),
    ]

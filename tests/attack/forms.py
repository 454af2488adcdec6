"""The page's forms and the API's bodies, filled in by nobody sane: mangled, in parts and in one, by a signed-in person."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import httpx
from litestar.routes import HTTPRoute

from appliance.agent_role import AgentRole
from tests.appliance.agents import TOUCHPOINT, apply
from tests.attack.mangle import mangled
from tests.page.doorstep import OWN_FORM, PASSWORD_HASH, browser, doorstep, sign_in

_BOUNDARY = "mangled-boundary"
_FIELDS = {
    "name": "orders", "password": "x" * 14, "repeated": "x" * 14, "provider": "generic", "http.url": "http://127.0.0.1:1/",
    "http.headers": "X-A: b", "verify.scheme": "hmac", "secret": "hush", "next": "/", "since": "7d", "toml": "[agent]",
}  # fmt: skip


async def send_mangled(folder: Path, chance: Random, rounds: int) -> tuple[int, list[str]]:
    """How many forms were sent, and each address that answered by a server's error."""
    sent, faults = 0, list[str]()
    async with doorstep(folder) as agent, browser(agent) as person:
        await apply(agent, TOUCHPOINT)
        await sign_in(person)
        for _ in range(rounds):
            for path in _addresses(agent):
                answer = await _posted(person, path, chance)
                sent += 1
                if answer.status_code >= 500:
                    faults.append(f"{path}: {answer.status_code} for {answer.request.content[:300]!r}")
                if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"):
                    await agent._opened.people.set_password("ann", PASSWORD_HASH, now=agent._clock.now())
                    await sign_in(person)
    return sent, faults


def _addresses(agent: AgentRole) -> Iterator[str]:
    """Every address that takes a form or a JSON body; a name in it is the touchpoint's."""
    for route in agent.local.routes:
        if isinstance(route, HTTPRoute) and "POST" in route.methods and "sign-out" not in route.path:
            yield (
                route.path_format.replace("{name}", "orders")
                .replace("{touchpoint}", "orders")
                .replace("{", "")
                .replace("}", "")
            )


async def _posted(person: httpx.AsyncClient, path: str, chance: Random) -> httpx.Response:
    kind, content = chance.choice(_written())
    headers = {**OWN_FORM, "content-type": chance.choice((kind, kind, kind, *(one for one, _ in _written())))}
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

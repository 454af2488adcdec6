"""The doorstep: a whole agent over a folder of its own, and browsers of many kinds in front of it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
from argon2 import PasswordHasher

from appliance.agent import Agent
from appliance.agent_role import AgentRole
from tests.appliance.agents import agent_over

HERE = "http://127.0.0.1:8421"
PASSWORD = "horse battery staple"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # a check of it costs next to nothing

NAVIGATES = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
TYPED = {"sec-fetch-site": "none", **NAVIGATES}
OWN_LINK = {"sec-fetch-site": "same-origin", **NAVIGATES}
OWN_FORM = {"origin": HERE, **OWN_LINK}


def browser(agent: Agent, *, base: str = HERE, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A browser at an address, with its own cookies; what else it sends is the test's to say."""
    transport = httpx.ASGITransport(cast(Any, agent.local), client=(address, 50000))
    return httpx.AsyncClient(transport=transport, base_url=base)


@asynccontextmanager
async def doorstep(folder: Path, *, person: str | None = "ann") -> AsyncIterator[AgentRole]:
    """An agent that does not listen; unless told otherwise ann has a password."""
    async with agent_over(folder, start=False) as agent:
        if person and person not in await agent._opened.people.persons():
            await agent._opened.people.set_password(person, PASSWORD_HASH, now=agent._clock.now())
        agent.loopback = HERE
        yield agent


async def sign_in(
    client: httpx.AsyncClient, *, name: str = "ann", password: str = PASSWORD, onward: str = "/"
) -> httpx.Response:
    """Send the sign-in's form, as a browser does."""
    origin = str(client.base_url).rstrip("/")
    form = {"name": name, "password": password, "next": onward}
    return await client.post("/sign-in", data=form, headers={**OWN_FORM, "origin": origin})


async def audited(agent: Agent) -> list[tuple[str, str]]:
    """(actor, action) of the audit log, oldest first."""
    return [(line.actor, line.action) for _, line in reversed(await agent._opened.people.audited(limit=500))]


def cookie_of(answer: httpx.Response) -> tuple[str, str, str]:
    """Name, value and attributes of the session cookie that an answer sets."""
    for line in answer.headers.get_list("set-cookie"):
        if found := re.match(r"(hookport-[0-9a-f]{8})=([^;]*);?(.*)", line):
            return found[1], found[2], found[3].lower()
    raise AssertionError("no session cookie was set")

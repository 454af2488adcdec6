"""A whole agent over a data folder of its own, without a process around it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.agent import Agent
from appliance.agent_role import AgentRole
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.opening import open_folder
from store.configuration import Actor, Applied
from store.document import parse

MACHINE = Actor(name="machine", machine=True)
TOUCHPOINT = """
[[touchpoint]]
name = "orders"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://127.0.0.1:1/"
"""


@asynccontextmanager
async def agent_over(
    folder: Path, *, start: bool = True, environment: Mapping[str, str] | None = None, clock: Clock | None = None
) -> AsyncIterator[AgentRole]:
    """An agent that is loaded and, unless told otherwise, started."""
    clock = clock or Clock()
    opened = await open_folder(DataFolder(path=folder), clock)
    try:
        agent = AgentRole(opened, environment=environment or {}, clock=clock, redactor=Redactor())
        await agent.load()
        if start:
            agent.page = "http://127.0.0.1:8421"
            await agent.start()
        try:
            yield agent
        finally:
            if start:
                await agent.stop(grace=0.2)
    finally:
        await opened.close()


async def apply(agent: Agent, text: str, *, prune: bool = False, dry_run: bool = False) -> Applied:
    """Apply TOML text, as a command on this machine does."""
    return await agent.control.apply(parse(text.encode()), base=".", digest="", prune=prune, dry_run=dry_run, actor=MACHINE)


def direct(port: int, listen: str = "127.0.0.1") -> str:
    """Direct mode on a port."""
    return (
        f'[agent]\nmode = "direct"\nhost_public_url = "http://{listen}:{port}"\nlisten = "{listen}"\nport = {port}\n'
        '[retention]\nfree_disk = "0B"\n'
    )


def codes(applied: Applied) -> list[str]:
    """The codes of an apply's problems."""
    return [problem.code for problem in applied.problems]

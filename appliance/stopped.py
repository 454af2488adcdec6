"""A stopped agent's folder, opened for one command: the same API over the same files, without listener or deliveries."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar

from appliance.agent import Agent
from appliance.clock import Clock
from appliance.data_folder import locate
from appliance.logs import Redactor, set_up_logs
from appliance.opening import open_folder


@asynccontextmanager
async def open_stopped(data_dir: Path | None) -> AsyncIterator[tuple[Litestar, str]]:
    """The API application and the token that may use it. Raises AlreadyRunning and ProblemError as `open_folder` does."""
    clock, redactor = Clock(), Redactor()
    folder = locate(data_dir, os.environ)
    opened = await open_folder(folder, clock)
    set_up_logs(folder, redactor, terminal=False)
    try:
        agent = Agent(opened, environment=os.environ, clock=clock, redactor=redactor)
        await agent.load()
        yield agent.local, agent.machine_token
    finally:
        await opened.close()

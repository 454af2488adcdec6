"""A stopped agent's or proxy's folder, opened for one command: the same API over the same files, without a listener."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar

from appliance.agent_role import AGENT
from appliance.clock import Clock
from appliance.data_folder import locate
from appliance.logs import Redactor, set_up_logs
from appliance.proxy.server import PROXY


@asynccontextmanager
async def open_stopped(data_dir: Path | None, *, proxy: bool = False) -> AsyncIterator[tuple[Litestar, str]]:
    """The API application and the token that may use it; `proxy` tells what a new folder becomes.

    Raises AlreadyRunning and ProblemError as `open_folder` does.
    """
    clock, redactor = Clock(), Redactor()
    folder = locate(data_dir, os.environ)
    kind = PROXY if folder.is_proxy or (proxy and not folder.configuration.exists()) else AGENT
    role = await kind.open(folder, clock, os.environ, redactor)
    set_up_logs(folder, redactor, terminal=False)
    try:
        await role.load()
        await role.catch_up()
        yield role.local, role.machine_token
    finally:
        await role.break_off()
        await role.opened.close()

"""An agent or a proxy as a process that ends, as by kill -9, at the n-th step of the hop. None of this is in the product.

A step is a commit that writes, a request of the pull protocol, or an event's intake at the proxy: one before it, one after.
"""

import itertools
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import appliance.hops.pull_pace
import store.remote_session
import web.proxy.app
from appliance.agent_role import AGENT
from appliance.options import RunOptions
from appliance.process import run
from appliance.proxy.server import PROXY

KILLED = 86  # the exit code of a process that ended at its step
HASTE = 0.4  # seconds at most between two tries of an agent: what a test waits for is not the pause

_steps = itertools.count(1)
_last = 0


def launch(role: str, folder: Path, log: Path, last: int) -> None:
    """Run a role over a data folder. At step `last` the process ends; 0: never."""
    global _last  # noqa: PLW0603 - one process, one fault
    _last = last
    with log.open("ab") as opened:
        os.dup2(opened.fileno(), 1)
        os.dup2(opened.fileno(), 2)
    sqlite3.connect = _connect  # type: ignore[assignment]  # with every argument passed on
    _around(store.remote_session, "exchange")
    _around(web.proxy.app, "api")
    _around(web.proxy.app, "intake")
    appliance.hops.pull_pace.LONGEST_REST = HASTE
    options = RunOptions(data_dir=folder, admin="127.0.0.1:0", no_browser=True)
    sys.exit(run(options, AGENT if role == "agent" else PROXY))


def _step() -> None:
    if _last and next(_steps) == _last:
        os._exit(KILLED)


def _around(module: Any, name: str) -> None:
    inner: Callable[..., Awaitable[Any]] = getattr(module, name)

    async def outer(*arguments: Any, **options: Any) -> Any:
        _step()
        result = await inner(*arguments, **options)
        _step()
        return result

    setattr(module, name, outer)


class _Stepping(sqlite3.Connection):
    """A connection whose writing commits are steps."""

    _writes = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self._writes = True
        if sql != "COMMIT" or not self._writes:
            return super().execute(sql, *parameters)
        self._writes = False
        _step()
        cursor = super().execute(sql, *parameters)
        _step()
        return cursor


_real_connect = sqlite3.connect


def _connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    return _real_connect(*arguments, factory=_Stepping, **options)

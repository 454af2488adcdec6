"""Nodes: real agents and a real proxy, each over its folder, begun, stopped and crashed as often as fate likes."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.agent_role import AgentRole
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.opening import open_folder
from appliance.proxy.opening import open_proxy_folder
from appliance.proxy.server import ProxyServer
from store.inbox import StoreUnavailable
from tests.simulation.disk import Disk
from tests.simulation.loop import NODE, VirtualLoop
from tests.simulation.wire import App
from touchpoints.moment import SECOND, Micros
from touchpoints.problem import ProblemError
from web.listener.app import make_app
from web.proxy.app import make_proxy_app

EPOCH: Micros = 1_800_000_000 * SECOND


class SimClock(Clock):
    """A machine's clock over the loop's time; `wrong` is how far its wall clock is off."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.wrong: Micros = 0
        self._loop = loop

    def now(self) -> Micros:
        return EPOCH + int(self._loop.now * SECOND) + self.wrong

    def steady(self) -> Micros:
        return int(self._loop.now * SECOND)


@dataclass(slots=True, kw_only=True)
class Life:
    """One process: from its start to its end, however that comes."""

    id: str
    opened: Any = None
    role: Any = None
    app: App | None = None


@dataclass(slots=True, kw_only=True)
class Node:
    """A machine with a role."""

    name: str
    folder: Path
    loop: VirtualLoop
    disk: Disk
    clock: SimClock
    life: Life | None = None
    lives: int = 0

    @property
    def role(self) -> Any:
        """The agent or the proxy that lives now."""
        assert self.life is not None
        return self.life.role

    def listener(self) -> tuple[str, App] | None:
        """Which life listens there, and its app."""
        return (self.life.id, self.life.app) if self.life is not None and self.life.app is not None else None

    async def begin(self, *, spared: bool = False) -> bool:
        """Start the process; whether it came up. One that dies while it starts is cleared away like any other."""
        self.lives += 1
        self.life = Life(id=f"{self.name}#{self.lives}")
        if spared:
            self.disk.spared.add(self.life.id)
        work = self._open_agent(self.life) if self.name != "proxy" else self._open_proxy(self.life)
        task = self.spawn(self.life.id, work)
        await asyncio.wait((task,))
        if task.cancelled() or task.exception() is not None:
            self.clear()
            return False
        self.disk.spared.discard(self.life.id)
        return True

    def spawn(self, life: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have a life do something."""
        context = copy_context()
        context.run(NODE.set, life)
        return self.loop.create_task(work, context=context)

    async def end(self) -> None:
        """Ask the process to end, as a service manager does."""
        life = self.life
        if life is None:
            return
        task = self.spawn(life.id, self._close(life))
        await asyncio.wait((task,))
        self.clear()

    def die(self) -> None:
        """The process is killed: its tasks end where they stand, and what was not committed is gone."""
        if self.life is not None:
            self.disk.dead.add(self.life.id)
        self.clear()

    def clear(self) -> None:
        """Nothing of the life is left but its folder."""
        life, self.life = self.life, None
        if life is None:
            return
        self.disk.dead.add(life.id)
        for task in [*self.loop.tasks_of.get(life.id, ())]:
            task.cancel()
        for database in self.disk.open.pop(life.id, []):
            database.drop()
        if life.opened is not None:
            life.opened.lock.release()

    async def _open_agent(self, life: Life) -> None:
        life.opened = await open_folder(DataFolder(path=self.folder), self.clock)
        role = AgentRole(life.opened, environment={}, clock=self.clock, redactor=Redactor())
        life.role = role
        await role.load()
        role.page = "http://127.0.0.1:8421"
        if role._works is not None:
            await role._works.start()
        await role.proxy.path.start()
        self._keep(life, [(role.open_late, 10.0)])
        self._keep(life, [(chore, seconds) for seconds, chore, name in role._house.chores if name in _CHORES])
        self._keep(life, [(role.proxy.look, 10.0)])
        life.app = make_app(role._make_direct_side()._intake())

    async def _open_proxy(self, life: Life) -> None:
        life.opened = await open_proxy_folder(DataFolder(path=self.folder), self.clock)
        role = ProxyServer(life.opened, environment={}, clock=self.clock, redactor=Redactor())
        life.role = role
        await role.load()
        await role._house.begin()
        self._keep(life, [(role._house.write_down, 5.0), (role._house.open_queue, 10.0)])
        life.app = make_proxy_app(role.hub)

    def _keep(self, life: Life, chores: list[tuple[Callable[[], Awaitable[None]], float]]) -> None:
        for chore, seconds in chores:
            self.spawn(life.id, _every(seconds, chore))

    async def _close(self, life: Life) -> None:
        if isinstance(life.role, AgentRole):
            await life.role.proxy.path.close(grace=1)
            if life.role._works is not None:
                await life.role._works.close(grace=1)
            await life.role._tasks.end()
        else:
            life.role._closing = True
            life.role.hub.bells.call_all()
            await life.role._house.write_down()
            await life.role._tasks.end()
        await life.opened.close()


_CHORES = {"safety net", "refusals"}


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        with suppress(StoreUnavailable, ProblemError, sqlite3.Error):  # the schedule logs it, and runs it again
            await chore()

"""A whole proxy and whole agents in this process, over real TCP and real files, in a time that can be moved."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

import appliance.hops.pull
import appliance.hops.pull_pace
from appliance.agent_role import AgentRole
from appliance.clock import Clock
from store.log import Filter
from tests.appliance.agents import agent_over, apply
from tests.chaos.ledger import Ledger, Sender, Sink, open_sink
from tests.chaos.middlebox import Middlebox, open_middlebox
from tests.free_port import free_port
from tests.web.proxy.kit import MACHINE, Site, proxy_over
from tests.whole.senders import touchpoint
from touchpoints.moment import SECOND, Micros


class Skew(Clock):
    """A machine's clock. `wall` is how far it is wrong; what monotonic time is moved by, its loop is too."""

    def __init__(self) -> None:
        self.wall: Micros = 0
        self.moved: Micros = 0

    def now(self) -> Micros:
        return super().now() + self.wall + self.moved

    def steady(self) -> Micros:
        return super().steady() + self.moved


class Hours:
    """Moves the time of this loop and of clocks, in small steps, as if nothing happened meanwhile."""

    def __init__(self, *clocks: Skew) -> None:
        self.clocks = clocks
        loop = asyncio.get_running_loop()
        self.passed = self._before = loop.time() - time.monotonic()  # a loop's time never goes back
        loop.time = lambda: time.monotonic() + self.passed  # type: ignore[method-assign]  # timeouts and sleeps go by it

    async def forward(self, seconds: float, *, until: Callable[[], bool] = lambda: False, step: float = 1.0) -> float:
        """Let so much go by, or less if something comes true; how much it was."""
        began = self.passed
        while self.passed - began < seconds and not until():
            self.passed += step
            for clock in self.clocks:
                clock.moved = int((self.passed - self._before) * SECOND)
            await asyncio.sleep(0.01)
            deadline = time.monotonic() + 0.01
            while time.monotonic() < deadline:
                await asyncio.sleep(0)
        return self.passed - began


@contextmanager
def haste() -> Iterator[None]:
    """Pauses between tries are short: what is looked at is not the pause."""
    pace, pull = appliance.hops.pull_pace, appliance.hops.pull
    kept = pace.LONGEST_REST, pull.MOST_REST
    pace.LONGEST_REST = pull.MOST_REST = 0.3
    try:
        yield
    finally:
        pace.LONGEST_REST, pull.MOST_REST = kept


class AgentHouse:
    """One agent's folder, and the agent over it, started and stopped."""

    def __init__(self, scene: "Scene", name: str) -> None:
        self.name = name
        self.folder = scene.folder / name
        self.clock = Skew()
        self.recovery_key = ""
        self.port = free_port()
        self.box = scene.box  # what lies between it and the proxy
        self._scene = scene
        self._stack: AsyncExitStack | None = None
        self._agent: AgentRole | None = None
        self._path = ""

    @property
    def agent(self) -> AgentRole:
        assert self._agent is not None
        return self._agent

    async def start(self) -> None:
        self._stack = AsyncExitStack()
        self._agent = await self._stack.enter_async_context(agent_over(self.folder, clock=self.clock))

    async def stop(self) -> None:
        stack, self._stack, self._agent = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    async def mode(self, mode: str, **agent: Any) -> None:
        """Set up, or switch."""
        more = "".join(f"{key} = {value!r}\n" for key, value in agent.items())
        text = (
            f'[agent]\nmode = "{mode}"\nhost_public_url = "http://127.0.0.1:{self.port}"\nlisten = "127.0.0.1"\n'
            f'port = {self.port}\n{more}[retention]\nfree_disk = "0B"\n'
        )
        applied = await apply(self.agent, text + touchpoint("orders", self._scene.sink.url, "", "concurrency = 4"))
        assert applied.problems == (), applied.problems

    async def join(self, code: str, *, recovery_key: str = "") -> None:
        """Pair, and be ready to pull."""
        url = f"http://127.0.0.1:{self.box.port}"
        self.recovery_key = await self.agent.proxy.pair(code, url, name=self.name, actor="test")
        if recovery_key:
            await self.agent.proxy.recover(recovery_key, actor="test")

    @property
    def state(self) -> str:
        return self.agent.proxy.path.state

    async def declared(self) -> None:
        """Wait until senders can post."""
        scene = self._scene
        await until(lambda: bool(self.agent.proxy.path.urls) and bool(scene.site.role.hub.directory().endpoints))

    def path(self) -> str:
        """The endpoint's path at the proxy; the last known while the agent does not run."""
        if self._agent is not None and self._agent.proxy.path.urls:
            (url,) = self._agent.proxy.path.urls.values()
            self._path = urlsplit(url).path
        return self._path

    def direct_url(self) -> str:
        """The endpoint at the agent's own listener."""
        return f"http://127.0.0.1:{self.port}/hooks/orders"

    async def events(self) -> dict[str, str]:
        """Every event it keeps, by id: how it came."""
        works = self.agent._works
        assert works is not None
        listed = await works.events.log.events(Filter(tests=True), limit=100_000)
        return {one.event.id: str(one.event.verdict.value) for one in listed}

    async def waiting(self) -> int:
        """How many wait in its inbox, its outbox, or its dock."""
        works = self.agent._works
        assert works is not None
        backlog = await works.events.log.backlog()
        return backlog.inbox + backlog.outbox + await self.docked()

    async def docked(self) -> int:
        """How many it stored without knowing whether they are its own."""
        works = self.agent._works
        assert works is not None
        return sum(berth.waiting for berth in await works.events.dock.berths())


class Scene:
    """A proxy behind a middlebox, agents, a destination, and who posts."""

    def __init__(self, folder: Path, sink: Sink, box: Middlebox, ledger: Ledger, client: httpx.AsyncClient) -> None:
        self.folder = folder
        self.sink = sink
        self.box = box
        self.ledger = ledger
        self.client = client
        self.clock = Skew()
        self.port = box.upstream
        self.houses: list[AgentHouse] = []
        self.settings = ""
        self._stack: AsyncExitStack | None = None
        self._site: Site | None = None

    @property
    def site(self) -> Site:
        assert self._site is not None
        return self._site

    async def start(self) -> None:
        """The proxy."""
        self._stack = AsyncExitStack()
        opened = proxy_over(self.folder / "proxy", self.port, settings=self.settings, clock=self.clock)
        self._site = await self._stack.enter_async_context(opened)

    async def stop(self) -> None:
        """The proxy, asked to."""
        stack, self._stack, self._site = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    def house(self, name: str) -> AgentHouse:
        """An agent's, not started yet."""
        self.houses.append(AgentHouse(self, name))
        return self.houses[-1]

    async def settle(self, name: str = "one") -> AgentHouse:
        """Organisation acme with its first agent, to which senders can post."""
        house = self.house(name)
        await house.start()
        await house.mode("proxy")
        await house.join(await self.site.organisation("acme"))
        await house.declared()
        return house

    async def another(self, name: str, first: AgentHouse, *, box: Middlebox | None = None) -> AgentHouse:
        """A further agent of it, which has the key, behind a middlebox of its own."""
        house = self.house(name)
        house.box = box or self.box
        await house.start()
        await house.mode("proxy")
        code = await self.site.role.control.code("acme", replaces="", actor=MACHINE)
        await house.join(code.text, recovery_key=first.recovery_key)
        await until(lambda: house.state in ("standby", "connected"))
        return house

    def sender(self, house: AgentHouse) -> Sender:
        """Who posts to the proxy's URL, past the middlebox."""
        return Sender(self.ledger, lambda: f"http://127.0.0.1:{self.port}{house.path()}", self.client)

    def direct_sender(self, house: AgentHouse) -> Sender:
        """Who posts to the agent's own URL."""
        return Sender(self.ledger, house.direct_url, self.client)

    async def pulled(self, house: AgentHouse) -> None:
        """Wait until nothing of its organisation waits at the proxy."""
        queue, pairing = self.site.role.hub.queue(), house.agent.proxy.path.pairing
        assert queue is not None
        assert pairing is not None
        async with asyncio.timeout(20):
            while (await queue.backlog(pairing.organisation)).events:
                await asyncio.sleep(0.01)

    async def waiting(self) -> int:
        """What lies anywhere."""
        total = sum([await house.waiting() for house in self.houses if house._agent is not None])
        if self._site is not None and (queue := self.site.role.hub.queue()) is not None:
            total += sum(one.events for one in (await queue.backlogs()).values())
        return total

    async def close(self) -> None:
        for house in self.houses:
            await house.stop()
        await self.stop()


@asynccontextmanager
async def scene(folder: Path, *, start: bool = True) -> AsyncIterator[Scene]:
    """Everything; the proxy is started."""
    ledger = Ledger()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # an idle one would delay each stop
    async with AsyncExitStack() as stack:
        stack.enter_context(haste())
        sink = await stack.enter_async_context(open_sink(ledger))
        box = await stack.enter_async_context(open_middlebox(free_port()))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=20, trust_env=False, limits=limits))
        made = Scene(folder, sink, box, ledger, client)
        try:
            if start:
                await made.start()
            yield made
        finally:
            await made.close()


async def until(true: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for a condition, by the real clock."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not reached in time"
        await asyncio.sleep(0.01)

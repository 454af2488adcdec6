"""A frozen set brought to life: its proxy, its agent, and the destinations that what waits is for."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from appliance.agent_role import AgentRole
from appliance.clock import Clock
from appliance.proxy_client import open_client
from tests.appliance.agents import agent_over
from tests.chaos.ledger import Ledger, Sink
from tests.chaos.scene import Skew, haste
from tests.free_port import free_port
from tests.released.journey import LATER
from tests.web.proxy.kit import Site, proxy_over


def later() -> Skew:
    """Soon after the sets were left."""
    clock = Skew()
    clock.wall = LATER - Clock().now()
    return clock


def ports() -> dict[str, int]:
    """Free ones."""
    return {name: free_port() for name in ("proxy", "agent", "sink", "gone", "dead")}


class Moved(httpx.AsyncBaseTransport):
    """The proxy's address leads to another port than when it was paired: the agent's keys are sealed for that address."""

    def __init__(self, inner: httpx.AsyncBaseTransport, port: int) -> None:
        self._inner = inner
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def moved(port: int) -> Iterator[None]:
    """Agents find their proxy there."""

    def client_of(url: str, environment: Mapping[str, str]) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=Moved(open_client(url, environment)._transport, port))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("appliance.proxy_side.open_client", client_of)
        yield


@asynccontextmanager
async def sink(ledger: Ledger, port: int) -> AsyncIterator[None]:
    """A destination at a port that is known."""
    server = await asyncio.start_server(Sink(ledger, port).serve, "127.0.0.1", port, limit=2**20)
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def living(folder: Path, given: Mapping[str, int], ledger: Ledger, clock: Clock) -> AsyncIterator[tuple[Site, AgentRole]]:
    """Both, over the folders that a set made there with these ports."""
    async with AsyncExitStack() as stack:
        stack.enter_context(haste())
        stack.enter_context(moved(given["proxy"]))
        for name in ("sink", "dead"):
            await stack.enter_async_context(sink(ledger, given[name]))
        site = await stack.enter_async_context(proxy_over(folder / "proxy", given["proxy"], clock=clock))
        yield site, await stack.enter_async_context(agent_over(folder / "one", clock=clock))

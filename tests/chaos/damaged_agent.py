"""An agent's data folder that was damaged: what it still delivers, and whether a person is told what is gone."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from appliance.agent_role import AgentRole
from store.inbox import StoreUnavailable
from store.log import Filter
from tests.appliance.agents import agent_over, apply, direct
from tests.chaos.ledger import Ledger, Sender, Sink
from tests.free_port import free_port
from tests.whole.senders import touchpoint
from touchpoints.delivery import DeliveryState
from touchpoints.problem import ProblemError

EVENTS = 130  # two of them large
FILES = ("events.db", "events.db", "events.db", "events.db-wal", "configuration.db", "configuration.db-wal")
PATIENCE = 4.0  # seconds for what can be delivered to be delivered


class DamagedAgent:
    """Two folders with events that wait, as a crash would leave it and closed cleanly, and the destination they wait for."""

    files = FILES

    def __init__(self, *, ledger: Ledger, ids: set[str], folders: tuple[Path, Path]) -> None:
        self.folders = folders
        self._ledger = ledger
        self._ids = ids

    async def held(self, folder: Path) -> str:
        """What a damaged copy came to. Raises whatever is not in words, and AssertionError where nothing was told."""
        self._ledger.runs.clear()
        self._ledger.foreign.clear()
        try:
            async with agent_over(folder) as agent:
                came_to = await self._watched(agent)
        except (ProblemError, StoreUnavailable):
            came_to = "refused"
        assert not self._ledger.foreign, "a body that nobody sent was delivered"
        assert not self._ledger.repeats, f"{self._ledger.repeats} were delivered twice"
        return came_to

    async def _watched(self, agent: AgentRole) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and agent.opened.usable is not None:
            if await self._ledger.arrived(seconds=0.1):
                return "whole"
            if not (await agent.control.status())["backlog"]["outbox"]:
                break
        await agent.look_through.when_due()
        needs = [need["code"] for need in (await agent.control.status())["needs_you"]]
        if agent.opened.usable is None:
            assert "events_store_down" in needs, "a damaged file, and nothing is said"
            assert agent.opened.events is not None
            assert agent.opened.events.moved_aside() or agent.opened.folder.events.exists(), "a damaged file was deleted"
            return "aside"
        return await self._waiting(agent, needs)

    async def _waiting(self, agent: AgentRole, needs: list[str]) -> str:
        """Not all of it was delivered, and the file is sound: then it stands in the lists, or somebody is told."""
        assert agent.opened.events is not None
        listed = await agent.opened.events.log.events(Filter(tests=True), limit=1000)
        gone = self._ids - {one.event.id for one in listed}
        assert not gone, f"{len(gone)} events are gone, and the file is called sound"
        stuck = [one.state for listing in listed for one in listing.deliveries if one.state is DeliveryState.PENDING]
        assert needs or not stuck, f"{len(stuck)} deliveries are stuck, and nothing is said"
        return "stuck, and told" if stuck else "given up"


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A destination that takes its time: nothing is delivered, and it is not thought to be down."""
    with suppress(OSError):
        while await reader.read(65536):
            pass
    writer.close()


@asynccontextmanager
async def damaged_agent(folder: Path) -> AsyncIterator[DamagedAgent]:
    """An agent that took in what its destination has not taken."""
    ledger, port, sink_port = Ledger(), free_port(), free_port()
    sink = Sink(ledger, sink_port)
    first, folders = folder / "agent-first", (folder / "agent-killed", folder / "agent-closed")
    silent = await asyncio.start_server(_say_nothing, "127.0.0.1", sink_port)
    async with agent_over(first) as agent, httpx.AsyncClient(timeout=20, trust_env=False) as client:
        applied = await apply(agent, direct(port) + touchpoint("orders", sink.url, "", "concurrency = 8"))
        assert applied.problems == (), applied.problems
        await Sender(ledger, lambda: f"http://127.0.0.1:{port}/hooks/orders", client).insist(EVENTS)
        assert agent.opened.events is not None
        listed = await agent.opened.events.log.events(Filter(), limit=1000)
        await asyncio.to_thread(shutil.copytree, first, folders[0])  # with its write-ahead logs
    await asyncio.to_thread(shutil.copytree, first, folders[1])
    silent.close()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", sink_port, limit=2**20)
    try:
        yield DamagedAgent(ledger=ledger, ids={one.event.id for one in listed}, folders=folders)
    finally:
        server.close()

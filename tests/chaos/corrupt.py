"""A data folder that was damaged at a random place: it starts, or says in words why not; what it delivers is what was sent."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from appliance.agent_role import AgentRole
from store.inbox import StoreUnavailable
from store.log import Filter
from tests.appliance.agents import agent_over, apply, direct
from tests.chaos.found import Found
from tests.chaos.ledger import Ledger, Sender, Sink
from tests.free_port import free_port
from tests.whole.senders import touchpoint
from touchpoints.delivery import DeliveryState
from touchpoints.problem import ProblemError

EVENTS = 130  # two of them large
FILES = ("events.db", "events.db", "events.db", "events.db-wal", "configuration.db", "configuration.db-wal")
FRAME = 24 + 8192  # bytes of a write-ahead log's page
PATIENCE = 4.0  # seconds for what can be delivered to be delivered


class Damage:
    """What happened to a disk."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.told = ""

    def do(self, folder: Path) -> None:
        """To one file: bytes that are others, a page of nothing, a bit that flipped, or an end that is gone."""
        names = [name for name in FILES if (folder / name).is_file() and (folder / name).stat().st_size]
        file = folder / self._chance.choice(names)
        data = bytearray(file.read_bytes())
        at = self._chance.randrange(len(data))
        kind = self._chance.choice(("bytes", "nothing", "bit", "end"))
        if file.name.endswith("-wal"):  # its end, when it is gone or the last thing that was written, looks like a crash
            at = self._chance.randrange(max(1, seen_up_to(file) - 8192))
            kind = "bit" if kind == "end" else kind
        if kind == "bytes":
            size = self._chance.randint(1, 4096)
            data[at : at + size] = self._chance.randbytes(min(size, len(data) - at))
        elif kind == "nothing":
            data[at : at + 8192] = bytes(min(8192, len(data) - at))
        elif kind == "bit":
            data[at] ^= 1 << self._chance.randrange(8)
        else:
            del data[at:]
        file.write_bytes(data)
        self.told = f"{kind} at {at} of {file.name}"


def seen_up_to(log: Path) -> int:
    """Where the part of a write-ahead log ends behind which another transaction of its generation follows."""
    data = log.read_bytes()
    ends = [
        at + FRAME
        for at in range(32, len(data) - FRAME + 1, FRAME)
        if data[at + 8 : at + 16] == data[16:24] and data[at + 4 : at + 8] != bytes(4)
    ]
    return ends[-3] if len(ends) > 2 else 0


class Trial:
    """One damaged folder and what it came to: refused, aside, whole, or given up, each of which a person can see."""

    def __init__(self, made: "Made", folder: Path) -> None:
        self.made = made
        self.folder = folder
        self.ledger = made.ledger

    async def held(self) -> str:
        """What it came to. Raises whatever is not in words."""
        self.ledger.runs.clear()
        try:
            async with agent_over(self.folder) as agent:
                return await self._watched(agent)
        except (ProblemError, StoreUnavailable):
            return "refused"

    async def _watched(self, agent: AgentRole) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and agent.opened.usable is not None:
            if await self.ledger.arrived(seconds=0.1):
                return "whole"
            if not (await agent.control.status())["backlog"]["outbox"]:
                break
        status = await agent.control.status()
        if agent.opened.usable is None:
            assert any(need["code"] == "events_store_down" for need in status["needs_you"]), (
                "a damaged file, and nothing is said"
            )
            assert agent.opened.events is not None
            assert agent.opened.events.moved_aside() or agent.opened.folder.events.exists(), "a damaged file was deleted"
            return "aside"
        return await self._waiting(agent)

    async def _waiting(self, agent: AgentRole) -> str:
        """Not all of it was delivered: it stands in the lists, or the file's own check finds the damage."""
        assert agent.opened.events is not None
        try:
            listed = await agent.opened.events.log.events(Filter(tests=True), limit=1000)
        except StoreUnavailable:
            return "aside"
        known = {one.event.id for one in listed}
        if self.made.ids <= known:
            stuck = [one.state for listing in listed for one in listing.deliveries if one.state is DeliveryState.PENDING]
            assert not stuck, f"{len(stuck)} deliveries are stuck: {await agent.control.status()}"
            return "given up"
        sound = (await agent.opened.check())["events"]
        assert not sound, f"{len(self.made.ids - known)} events are gone, and the file is called sound"
        return "found by its check"


class Made:
    """A folder with events that wait, as a crash would leave it, and the destination that they wait for."""

    def __init__(self, ledger: Ledger, folder: Path, ids: set[str]) -> None:
        self.ledger = ledger
        self.folder = folder
        self.ids = ids


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A destination that takes its time: nothing is delivered, and it is not thought to be down."""
    with suppress(OSError):
        while await reader.read(65536):
            pass
    writer.close()


@asynccontextmanager
async def _made(folder: Path) -> AsyncIterator[Made]:
    ledger, port, sink_port = Ledger(), free_port(), free_port()
    sink = Sink(ledger, sink_port)
    kept = folder / "kept"
    silent = await asyncio.start_server(_say_nothing, "127.0.0.1", sink_port)
    async with agent_over(folder / "first") as agent, httpx.AsyncClient(timeout=20, trust_env=False) as client:
        applied = await apply(agent, direct(port) + touchpoint("orders", sink.url, "", "concurrency = 8"))
        assert applied.problems == (), applied.problems
        await Sender(ledger, lambda: f"http://127.0.0.1:{port}/hooks/orders", client).insist(EVENTS)
        assert agent.opened.events is not None
        listed = await agent.opened.events.log.events(Filter(), limit=1000)
        shutil.copytree(folder / "first", kept)  # with its write-ahead logs
    silent.close()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", sink_port, limit=2**20)
    try:
        yield Made(ledger, kept, {one.event.id for one in listed})
    finally:
        server.close()


async def corrupt(folder: Path, *, places: int = 100, seed: int = 1) -> Found:
    """In so many places, one after the other; each trial begins with the folder as it was."""
    found, came_to = Found(), Counter[str]()
    async with _made(folder) as made:
        for number in range(places):
            damage, place = Damage(seed * 1_000_000 + number), folder / f"{number}"
            shutil.copytree(made.folder, place)
            damage.do(place)
            trial = Trial(made, place)
            try:
                came_to[await trial.held()] += 1
            except Exception as error:  # the next place is tried all the same
                found.fault(f"{damage.told}: {type(error).__name__}: {error}")
            found.must(not made.ledger.foreign, f"{damage.told}: a body that nobody sent was delivered")
            made.ledger.foreign.clear()
            found.must(not (twice := made.ledger.repeats), f"{damage.told}: {twice} were delivered twice")
            shutil.rmtree(place)
            found.tried += 1
    found.notes.append(", ".join(f"{count} {name}" for name, count in sorted(came_to.items())))
    return found

"""A world: a proxy, two agents of one organisation, senders and destinations, and what must hold whatever befalls them."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

import appliance.ids
from appliance.agent_role import AgentRole
from tests.appliance.agents import apply
from tests.simulation.disk import Disk, SimDatabase
from tests.simulation.ends import INVOICES, ORDERS, STOCK, UNWANTED, WANTED, Ledger, Post, SimPoster
from tests.simulation.fate import Fate
from tests.simulation.invariants import Invariants
from tests.simulation.loop import VirtualLoop
from tests.simulation.node import Node, SimClock
from tests.simulation.places import FILES, Places
from tests.simulation.stand_ins import stand_ins, stays
from tests.simulation.wire import NUMBER, Wire
from tests.web.proxy.kit import MACHINE
from tests.whole.senders import touchpoint
from touchpoints.moment import HOUR, MINUTE

PROXY = "http://127.0.0.1:9"
DIRECT = "http://127.0.0.1:8"
DESTINATION = "http://127.0.0.1:7/in"
AGENTS = ("one", "two")
PATIENCE = 6 * 3600.0  # virtual seconds in which everything must have arrived once nothing goes wrong any more
CONFIGURATION = (
    f'[agent]\nmode = "both"\nhost_public_url = "{DIRECT}"\nlisten = "127.0.0.1"\nport = 8\n[retention]\nfree_disk = "0B"\n'
)
TOUCHPOINTS = {ORDERS: "", STOCK: f'events = ["{WANTED}"]', INVOICES: 'state = "hold"'}


@dataclass(slots=True)
class Verdict:
    """What came of a seed."""

    seed: int
    tried: int = 0
    lost: int = 0
    stuck: int = 0
    repeated: int = 0
    admitted: int = 0
    wrong: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether everything held."""
        return not (self.lost or self.stuck or self.admitted or self.wrong)


class World:
    """One run."""

    def __init__(self, folder: Path, seed: int, loop: VirtualLoop) -> None:
        self.fate = Fate(seed)
        self.ledger = Ledger()
        self.loop = loop
        self.disk = Disk(self.fate, self._crashed, self._changed)
        SimDatabase.disk = self.disk
        self.nodes = {
            name: Node(name=name, folder=folder / name, loop=loop, disk=self.disk, clock=SimClock(loop))
            for name in ("proxy", *AGENTS)
        }
        self.wrong: list[str] = []
        self.places = Places()
        self._invariants = Invariants(self.ledger)
        self._restarts: set[asyncio.Task[Any]] = set()
        self._urls: dict[tuple[str, str], str] = {}  # by way and touchpoint

    def client(self, node: str) -> httpx.AsyncClient:
        """A client on a line to a node."""
        return httpx.AsyncClient(transport=Wire(self.fate, self.nodes[node].listener), timeout=30)

    def new_id(self, now: int) -> str:
        """As the process makes one; remembered, for it is all that is known of an event at the proxy."""
        made = appliance.ids.new_id(now)
        if number := NUMBER.get():
            self.ledger.at_proxy[made] = number
        return made

    def _crashed(self, life: str) -> None:
        node = self.nodes[life.partition("#")[0]]
        if node.life is not None and node.life.id == life:
            node.die()
            self.places.read(node.name, node.folder)
            self.check()
            self._later(self._again(node))

    def _changed(self, life: str, file: str, db: sqlite3.Connection) -> None:
        """After every commit: it is before anybody hears of it."""
        node = life.partition("#")[0]
        if file != FILES[node]:
            return
        try:
            self.places.look(node, db)
            self.check()
        except Exception as error:  # else the program that committed would take it for an error of its own
            self.wrong.append(f"looking failed: {error!r}")

    async def _again(self, node: Node) -> None:
        """What a service manager does; the third start goes well."""
        for spared in (False, False, True):
            await asyncio.sleep(self.fate.span(0.1, 30))
            if node.life is not None or await node.begin(spared=spared):
                return

    def _later(self, work: Any) -> None:
        task = self.loop.create_task(work)
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def set_up(self) -> None:
        """Pair two agents with an organisation; nothing goes wrong meanwhile."""
        proxy, one, two = (self.nodes[name] for name in ("proxy", *AGENTS))
        assert await proxy.begin()
        await self._as(proxy, _settle(proxy))
        code = await self._as(proxy, proxy.role.control.add("acme", actor=MACHINE, quota_events=None, quota_bytes=None))
        for node in (one, two):
            assert await node.begin()
            await self._as(node, _configure(node))
        key = await self._as(one, one.role.proxy.pair(code.text, PROXY, name="one", actor="test"))
        code = await self._as(proxy, proxy.role.control.code("acme", replaces="", actor=MACHINE))
        await self._as(two, two.role.proxy.pair(code.text, PROXY, name="two", actor="test"))
        await self._as(two, two.role.proxy.recover(key, actor="test"))
        await self._until(lambda: bool(one.role.proxy.path.urls), 600)
        for node in (two, one, proxy):
            await node.end()

    async def _as(self, node: Node, work: Any) -> Any:
        assert node.life is not None
        return await node.spawn(node.life.id, work)

    async def run(self) -> Verdict:
        """Begin, let fate strike for a while, then see whether all of it arrives."""
        for node in self.nodes.values():
            assert await node.begin()
        await self._until(self._open, 600)
        self._read()
        self.fate.calm = False
        await self._live(self.fate.number(8, 24))
        self.fate.calm = True
        while self._restarts:
            await asyncio.wait(self._restarts)
        for node in self.nodes.values():
            if node.life is None:
                assert await node.begin()
        await self._until(self._done, PATIENCE, quiet=True)
        await self._release()
        await self._until(self._done, PATIENCE, quiet=True)
        await asyncio.sleep(60)
        return self._judge()

    async def _release(self) -> None:
        """A person lets go what is on hold."""
        self.ledger.released = True
        for name in AGENTS:
            await self._as(self.nodes[name], _apply(self.nodes[name], touchpoint(INVOICES, DESTINATION, 'state = "running"')))

    def _open(self) -> bool:
        """Whether senders have an endpoint at the proxy, and somebody holds the lease."""
        role = self.nodes["one"].life.role if self.nodes["one"].life else None
        if not isinstance(role, AgentRole) or not role.proxy.path.urls:
            return False
        for one in role.configuration.touchpoints:
            if one.id not in role.proxy.path.urls:
                return False
            self._urls["proxy", one.name] = role.proxy.path.urls[one.id]
            self._urls["direct", one.name] = f"{DIRECT}/hooks/{one.name}"
        states = {node.life.role.proxy.path.state for node in self.nodes.values() if node.name != "proxy" and node.life}
        return "connected" in states

    async def _live(self, events: int) -> None:
        """Senders post; people start and stop things, and set clocks."""
        posting = []
        for number in range(1, events + 1):
            post = Post(
                number,
                way=self.fate.one_of("proxy", "proxy", "direct"),
                touchpoint=self.fate.one_of(ORDERS, ORDERS, STOCK, STOCK, INVOICES),
                type=self.fate.one_of(WANTED, UNWANTED),
                forged=self.fate.number(1, 10) == 1,
            )
            client = self.client("proxy" if post.way == "proxy" else "one")
            poster = SimPoster(self.fate, self.ledger, client, self._urls[post.way, post.touchpoint])
            posting.append(self.loop.create_task(poster.post(post)))
            await asyncio.sleep(self.fate.span(0, 8))
            if self.fate.happens(0.15, "a person"):
                await self._person()
        await asyncio.wait(posting)

    async def _person(self) -> None:
        node = self.nodes[self.fate.one_of("proxy", *AGENTS)]
        deed = self.fate.one_of("restart", "kill", "clock")
        if deed == "clock":
            node.clock.wrong += self.fate.number(-1, 1) * self.fate.number(1, 30) * MINUTE
        elif node.life is not None:
            if deed == "restart":
                await node.end()
            else:
                node.die()
            self._later(self._again(node))

    def _read(self) -> None:
        for node in self.nodes.values():
            self.places.read(node.name, node.folder)

    def check(self) -> None:
        """What must hold at every moment."""
        self.wrong += self._invariants.broken(self.places)

    def _done(self) -> bool:
        """Whether all is where it belongs; with something wrong there is no use in waiting for it."""
        return bool(self.wrong) or (not self.ledger.missing and not self.places.waiting())

    def _judge(self) -> Verdict:
        self._read()
        self.check()
        ledger, waiting, missing = self.ledger, self.places.waiting(), len(self.ledger.missing)
        return Verdict(
            self.fate.seed,
            tried=len(ledger.accepted),
            lost=max(0, missing - waiting),
            stuck=waiting,
            repeated=sum(len(runs) - 1 for runs in ledger.runs.values()),
            admitted=sum(not ledger.runnable(ledger.posts[number]) for number in ledger.runs),
            wrong=[*dict.fromkeys(self.wrong)],
            struck=self.fate.struck,
        )

    async def _until(self, true: Any, seconds: float, *, quiet: bool = False) -> None:
        ends = self.loop.now + seconds
        while not true():
            if self.loop.now > ends:
                assert quiet, "the world did not come up"
                return
            await asyncio.sleep(0.5 if self.loop.now < ends - seconds + 30 else 10)


async def _settle(node: Node) -> None:
    from store.document import parse

    assert node.life is not None
    text = f'[server]\npublic_url = "{PROXY}"\nlisten = "127.0.0.1"\nport = 9\n'
    role = node.life.role
    with patch.object(type(role), "_rebind", stays):
        applied = await role.control.apply(parse(text.encode()), base=".", digest="", prune=False, dry_run=False, actor=MACHINE)
    assert applied.problems == (), applied.problems


async def _configure(node: Node) -> None:
    made = [touchpoint(name, DESTINATION, more, "concurrency = 4") for name, more in TOUCHPOINTS.items()]
    await _apply(node, CONFIGURATION + "".join(made))


async def _apply(node: Node, text: str) -> None:
    applied = await apply(node.role, text)
    assert applied.problems == (), applied.problems


def play(folder: Path, seed: int, template: Path | None) -> Verdict | None:
    """One seed over copies of a template; without one, the folder becomes a template."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda _loop, _context: None)  # tasks of killed processes end as they may
    if template is not None:
        shutil.copytree(template, folder)
    else:
        folder.mkdir(mode=0o700)
    world = World(folder, seed, loop)
    try:
        with stand_ins(world.fate, world.ledger, world.client, world.new_id):
            if template is None:
                loop.run_until_complete(world.set_up())
                return None
            return loop.run_until_complete(world.run())
    finally:
        for node in world.nodes.values():
            node.die()
        _end(loop)


def _end(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=HOUR))
    loop.close()

"""A small journey of a real agent and a real proxy that leaves something in every table of their four files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from appliance.clock import Clock
from appliance.running import digest
from store.alerts import Standing
from store.door import Door
from store.log import Filter, Listed
from store.password import hash_password
from store.people import People, Scope
from tests.appliance.agents import MACHINE, agent_over, apply
from tests.chaos.ledger import Sender, body_of
from tests.chaos.middlebox import Cut, Exchange, passed
from tests.chaos.scene import AgentHouse, Scene, scene, until
from tests.free_port import free_port
from tests.whole.senders import github, touchpoint
from touchpoints.moment import HOUR, SECOND, Micros
from web.listener.app import make_app

MOMENT: Micros = 1_795_521_600 * SECOND  # 2026-11-24T12:00:00Z
LATER = MOMENT + 3 * HOUR  # when it is over
PERSON, PASSWORD, SESSION, TOKEN = "anna", "correct horse battery", "the value of a cookie", "the token of a program"
GUESSER = "person:bert"


class Journey:
    """What the journey leaves: two folders, the ports that are named in them, and which events are to arrive yet."""

    def __init__(self, made: Scene, house: AgentHouse, client: httpx.AsyncClient) -> None:
        self.made = made
        self.house = house
        self.client = client
        self.ports: dict[str, int] = {}
        self.waiting: list[int] = []  # by number: promised, and neither run nor held nor given up
        self.first = 0  # an event that ran, whose sender's id is known

    def direct(self, name: str) -> Sender:
        """Who posts to a touchpoint at the agent's own listener."""
        return Sender(self.made.ledger, lambda: f"http://127.0.0.1:{self.house.port}/hooks/{name}", self.client)

    def proxied(self, name: str) -> Sender:
        """Who posts to it at the proxy."""
        path = urlsplit(self.urls[name]).path
        return Sender(self.made.ledger, lambda: f"http://127.0.0.1:{self.made.port}{path}", self.client)

    def remember(self) -> None:
        """The endpoint URLs, for when the agent does not run."""
        names = {one.id: one.name for one in self.house.agent.configuration.touchpoints}
        self.urls = {names[number]: url for number, url in self.house.agent.proxy.path.urls.items()}


async def journey(folder: Path) -> Journey:
    """Travel. Both have stopped cleanly at the end; their folders are `proxy` and `one`."""
    async with _gone() as gone, httpx.AsyncClient(timeout=20, trust_env=False) as client, scene(folder, start=False) as made:
        house = made.house("one")
        made.clock.wall = house.clock.wall = MOMENT - Clock().now()
        await made.start()
        await house.start()
        travelled = Journey(made, house, client)
        dead = free_port()
        travelled.ports = {
            "proxy": made.port,
            "agent": house.port,
            "sink": _port(made.sink.url),
            "gone": gone,
            "dead": dead,
        }
        await _set_up(travelled)
        await _events(travelled)
        await _people(house.agent.opened.people, house.agent.opened.door)
        await _left_unsaid(travelled)
        await house.stop()
        await _unplanned(travelled)
        await _other_tenants(made)
        await _people(made.site.role.opened.people, made.site.role.opened.door)
        travelled.waiting += await travelled.proxied("orders").insist(2)
        await made.stop()
        return travelled


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@asynccontextmanager
async def _gone() -> AsyncIterator[int]:
    """A destination that wants nothing any more: an event is given up at once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _set_up(one: Journey) -> None:
    """Six touchpoints, one of which is removed again, and the pairing."""
    ports, sink = one.ports, one.made.sink.url
    text = (
        f'[agent]\nmode = "both"\nhost_public_url = "http://127.0.0.1:{ports["agent"]}"\nlisten = "127.0.0.1"\n'
        f'port = {ports["agent"]}\n[retention]\nfree_disk = "0B"\n[backup]\nat = ""\n'
        + touchpoint("orders", sink, 'reference = "json:/n"\naliases = ["sales"]', "concurrency = 4")
        + touchpoint("returns", f"http://127.0.0.1:{ports['gone']}/in")
        + touchpoint("stock", sink, 'state = "hold"')
        + touchpoint("prices", f"http://127.0.0.1:{ports['dead']}/in")
        + touchpoint("old", sink)
        + f'[[touchpoint]]\nname = "tasks"\nprovider = "asana"\nsecrets = []\n'
        f'[[touchpoint.destination]]\nname = "erp"\nkind = "http"\nurl = "{sink}"\n'
    )
    applied = await apply(one.house.agent, text)
    assert applied.problems == (), applied.problems
    await one.house.agent.control.remove("old", actor=MACHINE)
    await one.house.join(await one.made.site.organisation("acme"))
    await until(lambda: len(one.house.agent.proxy.path.urls) == 5)
    await until(lambda: len(one.made.site.role.hub.directory().endpoints) >= 5)
    one.remember()


async def _events(one: Journey) -> None:
    """Delivered both ways, repeated, refused, given up, dismissed, held, waiting, tested, run again; a secret captured."""
    agent = one.house.agent
    captured = await one.client.post(
        f"http://127.0.0.1:{one.house.port}/hooks/tasks",
        content=b"{}",
        headers={"x-hook-secret": "b537207f20cbfa02357cf448134da559"},
    )
    assert captured.status_code == 200, captured
    one.first = (await one.direct("orders").insist(3))[0]
    await one.proxied("orders").insist(3)
    await one.made.ledger.arrived()
    assert await one.direct("orders").send(one.first)
    body = body_of(1)
    forged = await one.client.post(f"{_base(one)}/orders", content=body, headers=github(body, "f", secret="a guess"))
    assert forged.status_code == 401
    settled = await one.direct("returns").insist(2)
    held = await one.direct("stock").insist(2)
    one.waiting += await one.direct("prices").insist(4)
    one.waiting += await one.proxied("prices").insist(1)
    one.made.ledger.accepted -= {*settled, *held, *one.waiting}
    await agent.control.test("orders", None, headers={}, deliver=True, actor=MACHINE)
    await _until_status(one, lambda needs: {"given_up", "destination_down", "refused_events"} <= needs)
    (first, *_) = [listed.event.id for listed in await _listed(one, "given_up")]
    await agent.control.act("dismiss", Filter(ids=(first,)), dry_run=False, actor=MACHINE)
    delivered = await _listed(one, "delivered")
    await agent.control.act("replay", Filter(ids=(delivered[-1].event.id,)), dry_run=False, actor=MACHINE)
    told = Standing(
        code="given_up", touchpoint="returns", destination="erp", text="It was.", mend="Look.", since=MOMENT, told_at=MOMENT
    )
    await agent.opened.alerts.keep("email", [told])
    await agent._watchman._look_for_quiet()
    await until(lambda: one.made.ledger.repeats >= 1)


def _base(one: Journey) -> str:
    return f"http://127.0.0.1:{one.house.port}/hooks"


async def _listed(one: Journey, state: str) -> list[Listed]:
    log = one.house.agent.opened.log()
    assert log is not None
    return list(await log.events(Filter(state=state), limit=100))


async def _until_status(one: Journey, true: Callable[[set[str]], bool]) -> None:
    async with asyncio.timeout(20):
        while not true({need["code"] for need in (await one.house.agent.control.status())["needs_you"]}):
            await asyncio.sleep(0.05)


async def _people(people: People, door: Door) -> None:
    """Somebody who is signed in, somebody who guessed, a program."""
    now = MOMENT
    await people.set_password(PERSON, await asyncio.to_thread(hash_password, PASSWORD), now=now)
    await people.add_token("program", Scope.ADMIN, digest(TOKEN), now=now)
    await door.open_session(digest(SESSION), PERSON, now=now)
    await door.try_by(GUESSER, now=now)


async def _left_unsaid(one: Journey) -> None:
    """Events that the agent stored, and whose acknowledgement it heard no answer of."""
    posted = False

    async def answers_lost(exchange: Exchange) -> None:
        if exchange.path == "/v1/acknowledge":
            await exchange.forward()
        if exchange.path == "/v1/acknowledge" or not posted:
            raise Cut
        await passed(exchange)

    one.made.box.set(answers_lost)
    await asyncio.sleep(0.05)
    one.made.box.hang_up()
    one.waiting += await one.proxied("orders").insist(2)
    posted = True
    async with asyncio.timeout(10):
        while await one.house.docked() < 2:
            await asyncio.sleep(0.01)


async def _unplanned(one: Journey) -> None:
    """An event that was answered, and the process ended before it was planned."""
    async with agent_over(one.house.folder, start=False, clock=one.house.clock) as agent:
        transport = httpx.ASGITransport(make_app(agent._make_direct_side()._intake()))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport) as client:
            one.waiting += await Sender(one.made.ledger, lambda: f"{_base(one)}/orders", client).insist(1)


async def _other_tenants(made: Scene) -> None:
    """An organisation of an agent that pulled and was revoked, one with an open code, one that is gone; a lane restored."""
    site = made.site
    await site.apply('[backup]\nat = ""\npassphrase = "seven lazy herons"\n')
    puller = await site.tenant("beta", "orders", quota_events=50)
    for _ in range(2):  # in two hours
        for _ in range(2):
            assert (await site.post(puller)).status_code == 200
        await puller.pull()
        await puller.acknowledge()
        made.clock.wall += HOUR
    assert (await site.post(puller)).status_code == 200
    second = await site.join((await site.role.control.code("beta", replaces="", actor=MACHINE)).text, name="second")
    await site.role.control.revoke("beta", second.pairing.agent_id, actor=MACHINE)
    queue = site.role.hub.queue()
    assert queue is not None
    await queue.reincarnate(puller.pairing.organisation, "0123456789abcdef", beyond=9, now=made.clock.now())
    await site.organisation("gamma")
    await site.organisation("delta")
    await site.role.control.remove("delta", actor=MACHINE)
    await site.role._house.write_down()

"""Tenant isolation: whatever two organisations do at once, neither gets, moves or learns of what is the other's."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.remote_errors import RemoteError
from tests.free_port import free_port
from tests.web.proxy.kit import MACHINE, Forger, Puller, Site, proxy_over
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.message import Reply

OWN = ["post", "pull", "confirm", "seek", "state"]
TRIED = ["acknowledge", "pose", "release", "declare", "reply", "approve", "take_over", "cross", "sign"]
STEPS = st.lists(st.tuples(st.sampled_from(OWN + TRIED), st.booleans(), st.integers(0, 40)), min_size=5, max_size=30)
EVERY = [(deed, which, 3) for deed in (*OWN, *TRIED, *OWN, *TRIED) for which in (True, False)]


@dataclass(kw_only=True)
class Tenant:
    """One organisation: its agent, and what its senders posted and its agent got."""

    agent: Puller
    waiting: str = "nobody"  # an agent of its that nobody has approved yet
    posted: list[bytes] = field(default_factory=list)
    got: set[bytes] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its proxy domain."""
        return self.agent.pairing.domain


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_nothing_of_one_organisation_is_ever_reached_by_the_other(steps: list[tuple[str, bool, int]]) -> None:
    """A random schedule of both organisations' calls, each agent also trying the other's ids, tokens and positions."""
    asyncio.run(_schedule(steps))


def test_every_deed_is_tried_by_both() -> None:
    """None of them is left to chance; here each organisation has an agent that waits for approval, too."""
    asyncio.run(_schedule(EVERY, spares=True))


async def _schedule(steps: list[tuple[str, bool, int]], *, spares: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with proxy_over(Path(folder) / "proxy", free_port()) as site:
            ours = Tenant(agent=await site.tenant("acme", "orders"))
            theirs = Tenant(agent=await site.tenant("other", "orders", "stock"))
            if spares:
                await asyncio.sleep(1.1)  # so often may one address pair
                for one in (ours, theirs):
                    code = (await site.role.control.code(one.name, replaces="", actor=MACHINE)).text
                    one.waiting = (await site.join(code, name="spare")).pairing.agent_id
            for deed, which, number in steps:
                mine, alien = (ours, theirs) if which else (theirs, ours)
                before = await _standing(site, alien)
                await _do(site, deed, mine, alien, number)
                assert await _standing(site, alien) == before, deed
            for one in (ours, theirs):
                await _all_there(one)


async def _standing(site: Site, tenant: Tenant) -> Mapping[str, object]:
    """All that the proxy keeps of an organisation; how long its lease still lasts is left out."""
    hub, number = site.role.hub, tenant.agent.pairing.organisation
    queue, directory = hub.queue(), hub.directory()
    assert queue is not None
    return {
        "lease": replace(await queue.lease_of(number, now=hub.steady()), seconds=0.0),
        "unsettled": tuple(await queue.unsettled(number)),
        "organisation": directory.organisations[number],
        "agents": tuple(await hub.organisations.agents(number)),
        "declaration": await hub.organisations.declaration(number),
        "endpoints": {digest for digest, one in directory.endpoints.items() if one.organisation == number},
    }


async def _all_there(tenant: Tenant) -> None:
    """Every event that was posted to an organisation, and no other, is there for it, as often as it was posted."""
    state = await tenant.agent.remote.state()
    own = {tenant.agent.pairing.agent_id, tenant.waiting} - {"nobody"}
    assert (state.domain, {agent.id for agent in state.agents}) == (tenant.name, own)
    await tenant.agent.remote.seek(0)
    tenant.agent.after = 0
    assert sorted(one.body for one in await tenant.agent.drain()) == sorted(tenant.posted)
    assert tenant.got <= set(tenant.posted)


async def _do(site: Site, deed: str, mine: Tenant, alien: Tenant, number: int) -> None:
    agent, other = mine.agent, alien.agent
    works: dict[str, Any] = {
        "confirm": agent.acknowledge,
        "seek": lambda: agent.remote.seek(number),
        "state": agent.remote.state,
        "acknowledge": lambda: agent.remote.acknowledge(other.incarnation, other.epoch, to=number),
        "pose": lambda: agent.pull(incarnation=other.incarnation, epoch=other.epoch, after=other.after),
        "release": lambda: agent.remote.release(other.epoch),
        "declare": lambda: _steal(agent, other),
        "reply": lambda: agent.remote.reply(Reply(id="anything", status=200)),
        "approve": lambda: agent.remote.approve(alien.waiting, b"x" * 80),
        "take_over": lambda: agent.remote.take_over(other.pairing.agent_id),
        "cross": lambda: _cross(site, agent, other),
        "sign": lambda: _sign(site, agent, other),
    }
    if deed == "post":
        mine.posted.append(f"{mine.name} {len(mine.posted)}".encode())
        assert (await site.post(agent, body=mine.posted[-1])).status_code == 200
    elif deed == "pull":
        batch = await agent.pull(after=number)
        mine.got |= {event.body for event in agent.opened(batch)}
        assert batch.backlog.events <= len(mine.posted)
    else:
        try:
            await works[deed]()
        except RemoteError:
            return


async def _steal(mine: Puller, alien: Puller) -> None:
    """Declare the other's tokens as one's own."""
    touchpoints = (await alien.remote.declaration()).touchpoints
    own = (await mine.remote.declaration()).touchpoints
    try:
        declared = await mine.remote.declare(Declaration(touchpoints=touchpoints))
    except RemoteError:
        return
    assert not declared.counts
    assert (await mine.remote.declaration()).touchpoints == own


async def _cross(site: Site, mine: Puller, alien: Puller) -> None:
    """The other's token under one's own domain is as unknown as any."""
    path = alien.path("orders").replace(f"/{alien.pairing.domain}/", f"/{mine.pairing.domain}/")
    answer = await site.http.post(site.url + path, content=b"x")
    nothing = await site.http.post(f"{site.url}/nobody/orders/{'a' * 32}", content=b"x")
    assert (answer.status_code, answer.content, dict(answer.headers)) == (404, b"", dict(nothing.headers))


async def _sign(site: Site, mine: Puller, alien: Puller) -> None:
    """Speak in the other's name, by one's own key."""
    forger = Forger(site, replace(mine, pairing=replace(mine.pairing, agent_id=alien.pairing.agent_id)))
    for method, path, body in (("GET", "/v1/state", b""), ("POST", "/v1/seek", b'{"to":0}'), ("POST", "/v1/leave", b"")):
        answer = await forger.send(method, path, body, forger.signed(method, path, body))
        assert (answer.status_code, answer.json()["code"]) == (401, "agent_refused")

"""Tenant isolation: whatever two organisations do at once, neither gets an event, a size or the existence of the other's."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.remote_errors import RemoteError
from tests.free_port import free_port
from tests.web.proxy.kit import Puller, Site, proxy_over
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.message import Reply

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["post", "pull", "acknowledge", "seek", "release", "state", "declare", "reply", "approve", "take_over", "cross"]
        ),
        st.booleans(),
        st.integers(0, 40),
    ),
    min_size=5,
    max_size=30,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_nothing_of_one_organisation_is_ever_reached_by_the_other(steps: list[tuple[str, bool, int]]) -> None:
    """A random schedule of both organisations' calls, each agent also trying the other's ids, tokens and positions."""
    asyncio.run(_schedule(steps))


async def _schedule(steps: list[tuple[str, bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with proxy_over(Path(folder) / "proxy", free_port()) as site:
            ours, theirs = await site.tenant("acme", "orders"), await site.tenant("other", "orders", "stock")
            seen: dict[str, list[bytes]] = {"acme": [], "other": []}
            posted = {"acme": 0, "other": 0}
            for deed, which, number in steps:
                mine, alien = (ours, theirs) if which else (theirs, ours)
                await _do(site, deed, mine, alien, number, seen, posted)
            for one in (ours, theirs):
                name = one.pairing.domain
                state = await one.remote.state()
                assert state.domain == name
                assert [agent.id for agent in state.agents] == [one.pairing.agent_id]
                assert state.backlog.events <= posted[name]
                assert all(body.startswith(name.encode()) for body in seen[name]), seen


async def _do(
    site: Site,
    deed: str,
    mine: Puller,
    alien: Puller,
    number: int,
    seen: dict[str, list[bytes]],
    posted: dict[str, int],
) -> None:
    name = mine.pairing.domain
    works: dict[str, Any] = {
        "acknowledge": lambda: mine.remote.acknowledge(alien.incarnation, alien.epoch or 1, to=number),
        "seek": lambda: mine.remote.seek(number),
        "release": lambda: mine.remote.release(alien.epoch or number),
        "state": mine.remote.state,
        "declare": lambda: _steal(mine, alien),
        "reply": lambda: mine.remote.reply(Reply(id="anything", status=200)),
        "approve": lambda: mine.remote.approve(alien.pairing.agent_id, b"x" * 80),
        "take_over": lambda: mine.remote.take_over(alien.pairing.agent_id),
        "cross": lambda: _cross(site, mine, alien),
    }
    if deed == "post":
        answer = await site.post(mine, body=f"{name} {number}".encode())
        assert answer.status_code == 200
        posted[name] += 1
    elif deed == "pull":
        batch = await mine.pull(after=number)
        seen[name] += [event.body for event in mine.opened(batch)]
        assert batch.backlog.events <= posted[name]
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

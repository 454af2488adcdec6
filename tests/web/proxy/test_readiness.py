"""Who becomes ready: an agent that has the organisation's private key, and nobody because he says so."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance.clock import Clock
from store.remote_errors import Refused, Tampered
from tests.web.proxy.kit import MACHINE, Puller, Site, proxy_over
from touchpoints.moment import SECOND
from touchpoints.pull.body import encode
from touchpoints.pull.call import Acknowledge, Approve, Ready, Release, Renew, Seek, TakeOver
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.key import new_signing_key, signing_public
from touchpoints.pull.message import PullRequest, Reply
from touchpoints.pull.proof import sign_renewal
from touchpoints.pull.sealing import unwrap_challenge
from web.proxy.calls import CALLS
from web.proxy.readiness import SPAN

pytestmark = pytest.mark.anyio

LIES = ["nothing", "no body", "random", "the challenge as it came", "another agent's", "one that is old"]
OPEN = {b"/v1/pull", b"/v1/state", b"/v1/recovery", b"/v1/key", b"/v1/ready", b"/v1/leave"}  # to an agent that waits


class Watch(Clock):
    """A clock whose steady half a test puts forward."""

    ahead = 0

    def steady(self) -> int:
        return super().steady() + self.ahead


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def site(tmp_path: Path, free_port: Callable[[], int], watch: Watch) -> AsyncIterator[Site]:
    """A proxy by that clock."""
    async with proxy_over(tmp_path / "proxy", free_port(), clock=watch) as opened:
        yield opened


async def leaked(site: Site, name: str = "thief") -> Puller:
    """An agent that paired by a code of acme, and that no person approved."""
    return await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name=name)


async def opened(front: Puller, waiting: Puller) -> bytes:
    """What the challenge of an agent holds, by the key of another."""
    challenge = (await waiting.remote.key()).challenge
    pairing = waiting.pairing
    return unwrap_challenge(challenge, front.pairing.opening_key, organisation=pairing.organisation, agent=pairing.agent_id)


async def lying(lie: str, front: Puller, thief: Puller, site: Site, watch: Watch) -> bytes:
    """The body of such a `POST /v1/ready`."""
    if lie in ("nothing", "no body"):
        return b"{}" if lie == "nothing" else b""
    if lie == "random":
        return encode(Ready(secret=os.urandom(32)))
    if lie == "the challenge as it came":
        return encode(Ready(secret=(await thief.remote.key()).challenge[-32:]))
    if lie == "another agent's":
        await asyncio.sleep(1.1)  # so often may one address pair
        return encode(Ready(secret=await opened(front, await leaked(site, "other"))))
    old = await opened(front, thief)  # of its own, as if it had come by it
    watch.ahead = 2 * SPAN
    return encode(Ready(secret=old))


async def refusal(thief: Puller, method: str, path: str, body: bytes) -> str:
    """The code of what the proxy refuses."""
    with pytest.raises(Refused) as error:
        await thief.remote._session.call(method, path, body)
    return error.value.code


@pytest.mark.parametrize("lie", LIES)
async def test_a_leaked_pairing_code_makes_no_agent_ready(site: Site, watch: Watch, lie: str) -> None:
    """However it lies it stays waiting: no event, no lease, no declaration; what was posted comes to who has the key."""
    front = await site.tenant("acme")
    thief = await leaked(site)
    await site.post(front, body=b"ours")
    before = (await front.remote.state()).declaration

    expected = "pull_malformed" if lie in ("nothing", "no body") else "ready_unproved"
    assert await refusal(thief, "POST", "/v1/ready", await lying(lie, front, thief, site, watch)) == expected
    assert (await thief.remote.key()).state == "waiting"
    await front.remote.release(front.epoch)
    batch = await thief.pull()
    assert (batch.epoch, batch.messages, batch.asks, batch.keys) == (0, (), (), {})
    assert await refusal(thief, "PUT", "/v1/declaration", encode(Declaration())) == "agent_waits"
    assert [event.body for event in await front.drain()] == [b"ours"]
    assert (await front.remote.state()).declaration == before


async def test_an_agent_that_waits_has_no_other_call(site: Site) -> None:
    """Each is refused by one code; a call that is new must be thought of here."""
    front = await site.tenant("acme")
    thief = await leaked(site)
    own, fresh = thief.pairing, new_signing_key(os.urandom)
    proof = sign_renewal(fresh, agent=own.agent_id, old_public=signing_public(own.signing_key))
    lane = {"incarnation": front.incarnation, "epoch": front.epoch}
    bodies = {
        ("POST", b"/v1/acknowledge"): Acknowledge(**lane, to=1),  # type: ignore[arg-type]  # a name and a number
        ("POST", b"/v1/release"): Release(epoch=front.epoch),
        ("POST", b"/v1/reply"): Reply(id="ask", status=200),
        ("PUT", b"/v1/declaration"): Declaration(),
        ("GET", b"/v1/declaration"): None,
        ("POST", b"/v1/approve"): Approve(agent_id=own.agent_id, wrapped_key=b"x" * 80),
        ("POST", b"/v1/renew"): Renew(new_key=signing_public(fresh), proof=proof),
        ("POST", b"/v1/take-over"): TakeOver(agent_id=front.pairing.agent_id),
        ("POST", b"/v1/seek"): Seek(to=0),
    }
    assert bodies.keys() == {call for call in CALLS if call[1] not in OPEN}
    for (method, path), value in bodies.items():
        body = b"" if value is None else encode(value)
        assert await refusal(thief, method, path.decode(), body) == "agent_waits", path


async def test_an_agent_that_waits_can_only_take_out_itself(site: Site) -> None:
    """Leaving names nobody: what else stands in its body is passed over, and the lease stays where it is."""
    front = await site.tenant("acme")
    thief = await leaked(site)
    body = json.dumps({"agent_id": front.pairing.agent_id, "agent": front.pairing.agent_id}).encode()
    await thief.remote._session.call("POST", "/v1/leave", body)
    states = {agent.name: (agent.state, agent.holds_lease) for agent in (await front.remote.state()).agents}
    assert states == {"front": ("ready", True), "thief": ("revoked", False)}


async def test_who_has_the_key_is_ready_by_it_and_told_at_once(site: Site, watch: Watch) -> None:
    """Also one that was asked twice, and whose challenge is five minutes old; a pull that waits meanwhile ends."""
    front = await site.tenant("acme")
    spare = await leaked(site, "spare")
    waiting = asyncio.ensure_future(spare.remote.pull(PullRequest(wait=50)))
    async with asyncio.timeout(10):
        while not site.role.hub.bells._waiting:
            await asyncio.sleep(0.01)
    secret = await opened(front, spare)
    watch.ahead = SPAN - SECOND
    await spare.remote.key()
    await spare.remote._session.call("POST", "/v1/ready", encode(Ready(secret=secret)))
    await asyncio.wait_for(waiting, 10)
    answer = await spare.remote.key()
    assert (answer.state, answer.challenge) == ("ready", b"")
    await spare.remote.ready(front.pairing.opening_key)  # as after an answer that was lost
    await spare.remote.declaration()


async def test_an_agent_opens_nothing_but_its_own_challenge(site: Site) -> None:
    """What its key does not open as such it does not send back: it says that somebody tampered."""
    front = await site.tenant("acme")
    spare = await leaked(site, "spare")
    with pytest.raises(Tampered):
        await spare.remote.ready(os.urandom(32))
    spare.remote._agent = front.pairing.agent_id
    with pytest.raises(Tampered):
        await spare.remote.ready(front.pairing.opening_key)
    assert (await spare.remote.key()).state == "waiting"

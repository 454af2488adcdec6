"""Every call of the pull API, between real agents and a real proxy."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from store.remote import Remote
from store.remote_errors import NotAuthorized, ProxyBusy, Refused, RemoteError, Revoked
from tests.web.proxy.kit import MACHINE, Forger, Puller, Site, proxy_over
from touchpoints.moment import SECOND
from touchpoints.pull.body import encode
from touchpoints.pull.frames import JSON, batch_from_json
from touchpoints.pull.key import exchange_public, new_signing_key
from touchpoints.pull.message import PullRequest, Reply
from touchpoints.pull.recovery import open_recovery_box, parse_recovery_key
from touchpoints.pull.sealing import unwrap_organisation_key, unwrap_token, wrap_organisation_key

pytestmark = pytest.mark.anyio


async def test_a_waiting_pull_is_answered_as_soon_as_something_comes(site: Site) -> None:
    """The sender's event is in the pull that waited for it."""
    agent = await site.tenant("acme")
    waiting = asyncio.ensure_future(agent.pull(wait=50))
    await pulls(site, 1)
    assert (await site.post(agent, body=b"now")).status_code == 200
    batch = await asyncio.wait_for(waiting, 10)
    assert [event.body for event in agent.opened(batch)] == [b"now"]
    assert (await agent.acknowledge()).accepted


async def test_a_wait_that_nothing_ends_leaves_the_lease_with_its_holder(site: Site) -> None:
    """It is answered with what waits (nothing) and with what is left of the lease, and the next event still comes at once."""
    acme = await site.tenant("acme")
    epoch = acme.epoch
    quiet = await acme.pull(wait=0.2)
    assert (quiet.epoch, quiet.messages, quiet.backlog.events, quiet.more) == (epoch, (), 0, False)
    assert 0 < quiet.lease_seconds < 60
    waiting = asyncio.ensure_future(acme.pull(wait=20))
    assert (await site.post(acme)).status_code == 200
    found = await waiting
    assert (found.epoch, len(found.messages), found.backlog.events) == (epoch, 1, 1)
    assert found.backlog.oldest == found.messages[0].received_at


async def test_events_come_in_order_bounded_by_count_and_by_bytes(site: Site) -> None:
    """As many as were asked for; one that is larger than all that was asked for does not stop the stream."""
    agent = await site.tenant("acme")
    for number in range(5):
        await site.post(agent, body=b"%d" % number * (1 if number != 2 else 60_000))
    sizes = []
    while True:
        batch = await agent.pull(limit=2, max_bytes=10_000)
        if not batch.messages:
            break
        sizes.append((len(batch.messages), batch.more))
        await agent.acknowledge()
    assert sizes == [(2, True), (1, True), (2, False)]


async def test_a_batch_reads_as_json_for_curl(site: Site) -> None:
    """The same batch, signed the same way."""
    agent = await site.tenant("acme")
    await site.post(agent, body=b"{}")
    forger = Forger(site, agent)
    await forger.meet()
    answer = await forger.send("POST", "/v1/pull", b"{}", forger.signed("POST", "/v1/pull", b"{}"))
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    [event] = agent.opened(batch_from_json(answer.content))
    assert event.body == b"{}"


async def test_an_acknowledged_event_is_not_given_again_until_one_seeks_back(site: Site) -> None:
    """The position moves; seeking queues again what is still kept, under new numbers."""
    agent = await site.tenant("acme")
    for number in range(3):
        await site.post(agent, body=b"%d" % number)
    assert len(await agent.drain()) == 3
    assert await agent.drain() == []
    position = (await agent.remote.state()).acknowledged
    assert await agent.remote.seek(position - 2) == 2
    assert [event.body for event in await agent.drain()] == [b"1", b"2"]


async def test_a_standby_is_told_who_holds_the_lease_and_takes_over_at_once(site: Site) -> None:
    """Both wait; the holder lets go; the other has the next events."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    told = await second.pull(wait=0)
    assert (told.epoch, told.holder, told.messages) == (0, "front", ())
    waiting = asyncio.ensure_future(second.pull(wait=50))
    await pulls(site, 1)
    await first.remote.release(first.epoch)
    batch = await asyncio.wait_for(waiting, 10)
    assert batch.epoch > first.epoch
    await site.post(first)
    assert len((await second.pull(wait=5)).messages) == 1
    lost = await first.remote.acknowledge(first.incarnation, first.epoch, to=first.after + 1)
    assert (lost.accepted, lost.position) == (False, first.after)


async def test_who_died_without_a_word_holds_the_lease_no_longer_than_a_minute(site: Site) -> None:
    """Power fails while its pull waits and nothing hangs up: an event that comes for it does not renew its lease."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    later = 0
    began = site.role.hub.steady()
    object.__setattr__(site.role.hub, "steady", lambda: began + later)
    dead = asyncio.ensure_future(first.pull(wait=25))
    await pulls(site, 1)
    later = 24 * SECOND
    await site.post(first, body=b"for nobody")
    assert (await asyncio.wait_for(dead, 10)).lease_seconds == 36.0
    later = 59 * SECOND
    assert (await second.pull(wait=0)).epoch == 0
    later = 60 * SECOND
    batch = await second.pull(wait=0)
    assert [event.body for event in second.opened(batch)] == [b"for nobody"]


async def test_a_pull_that_waits_does_not_take_back_a_lease_that_was_given_back(site: Site) -> None:
    """An agent that stops may leave a waiting pull behind, and says goodbye beside it: its standby has the lease then."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    await first.pull(wait=0)
    left_behind = asyncio.ensure_future(first.pull(wait=50))
    waiting = asyncio.ensure_future(second.pull(wait=50))
    await pulls(site, 2)
    await first.remote.release(first.epoch)
    assert (await asyncio.wait_for(left_behind, 10)).epoch == 0
    assert (await asyncio.wait_for(waiting, 10)).epoch > 0


async def test_an_agent_that_hung_up_holds_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Its pull ends with the connection, takes no lease any more, and is no failure."""
    first = await site.tenant("acme")
    await first.pull(wait=0)
    waiting = asyncio.ensure_future(first.pull(wait=50))
    await pulls(site, 1)
    waiting.cancel()
    async with asyncio.timeout(10):
        while site.role.hub.bells._waiting or busy(site):
            await asyncio.sleep(0.01)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_an_agent_that_closed_its_side_at_once_has_hung_up(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """However early: also before its request was looked at."""
    agent = await site.tenant("acme")
    forger = Forger(site, agent)
    await forger.meet()
    body = encode(PullRequest(wait=50.0))
    lines = [f"{name}: {value}" for name, value in forger.signed("POST", "/v1/pull", body).items()]
    head = "\r\n".join(["POST /v1/pull HTTP/1.1", "host: here", *lines, f"content-length: {len(body)}", "", ""])
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    writer.write(head.encode() + body)
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await reader.read() == b""
        while site.role.hub.bells._waiting or busy(site):
            await asyncio.sleep(0.01)
    writer.close()
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_a_busy_organisation_does_not_wake_its_standby_for_each_event(site: Site) -> None:
    """Whoever only stands by hears of who may pull, not of what came."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    waiting = asyncio.ensure_future(second.pull(wait=50))
    await pulls(site, 1)
    for _ in range(3):
        await site.post(first)
    assert site.role.hub.bells._waiting  # it still waits
    assert not waiting.done()
    await first.remote.release(first.epoch)
    assert len((await asyncio.wait_for(waiting, 10)).messages) == 3


async def test_a_newcomer_waits_until_a_person_approves_it(site: Site) -> None:
    """It may pull nothing, ready nobody, declare nothing; then it has the key that opens events and tokens."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await site.post(first, body=b"sealed")
    waiting = asyncio.ensure_future(second.pull(wait=50))
    await pulls(site, 1)
    assert (await second.remote.key()).state == "waiting"
    for refused in (second.remote.declaration(), second.remote.seek(0), second.remote.take_over(first.pairing.agent_id)):
        with pytest.raises(Refused) as error:
            await refused
        assert (error.value.status, error.value.code) == (403, "agent_waits")
    await approve(first, second)
    assert not (await asyncio.wait_for(waiting, 10)).messages
    declared = (await second.remote.declaration()).touchpoints[0]
    token = unwrap_token(
        declared.tokens[0].sealed,
        second.pairing.opening_key,
        organisation=second.pairing.organisation,
        touchpoint=declared.name,
    )
    assert token == first.tokens["orders"]
    await first.remote.release(first.epoch)
    assert [event.body for event in await second.drain()] == [b"sealed"]


async def test_the_recovery_key_opens_what_was_sealed(site: Site) -> None:
    """The last agent is lost: a replacement takes its place, with the key that was shown at pairing."""
    first = await site.tenant("acme")
    await site.post(first, body=b"sealed")
    code = await site.role.control.code("acme", replaces="front", actor=MACHINE)
    second = await site.join(code.text, name="spare")
    with pytest.raises(Revoked):
        await first.pull()
    found = await second.remote.recovery()
    key = open_recovery_box(found.recovery_box, parse_recovery_key(first.recovery_key), sealing_key=found.sealing_key)
    second.pairing = replace(second.pairing, opening_key=key)
    await second.remote.ready(key)
    assert [event.body for event in await second.drain()] == [b"sealed"]
    assert (await site.post(first, body=b"the URL stays")).status_code == 200


async def test_a_signing_key_is_renewed_without_a_gap(site: Site) -> None:
    """Both keys are good until the new one was used; then the old one is worth nothing."""
    agent = await site.tenant("acme")
    old = Remote(site.http, agent.pairing, version="1", count_from=agent.remote._session._count + 100)
    await old.state()
    new = new_signing_key(os.urandom)
    await agent.remote.renew(new)
    await old.state()
    agent.remote.use_key(new)
    await agent.remote.state()
    with pytest.raises(NotAuthorized):
        await old.state()
    await agent.remote.state()


async def test_the_state_tells_all_there_is_of_ones_own_organisation(site: Site) -> None:
    """Agents with what they lack, backlog, quota, notices."""
    agent = await site.tenant("acme", quota_events=2)
    await site.post(agent)
    await agent.pull(lacking=("orders",))
    state = await agent.remote.state()
    assert (state.domain, state.backlog.events, state.quota_events, state.notices) == ("acme", 1, 2, ("quota_half",))
    [one] = state.agents
    assert (one.name, one.holds_lease, one.lacking, one.state) == ("front", True, ("orders",), "ready")


async def test_what_a_gone_agent_did_not_settle_is_taken_over_by_a_person(site: Site) -> None:
    """Counted for each agent; queued again under the same ids."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    await site.post(first, body=b"half done")
    [event] = await first.drain()
    await first.pull(settled=0, unsettled=1)
    with pytest.raises(Refused) as error:
        await second.remote.take_over(first.pairing.agent_id)
    assert error.value.code == "agent_holds_lease"
    await first.remote.release(first.epoch)
    await second.pull()
    assert {one.name: one.unsettled for one in (await second.remote.state()).agents} == {"front": 1, "spare": 0}
    assert await second.remote.take_over(first.pairing.agent_id) == 1
    assert [one.event_id for one in await second.drain()] == [event.event_id]


async def test_an_agent_that_leaves_is_revoked(site: Site) -> None:
    """By itself; the operator sees it."""
    agent = await site.tenant("acme")
    await agent.remote.leave()
    with pytest.raises(Revoked):
        await agent.remote.state()
    [view] = (await site.role.control.organisation("acme")).agents
    assert view.state == "revoked"


async def test_a_revoked_agent_gets_nothing_more_not_even_in_a_pull_that_waits(site: Site) -> None:
    """Its waiting pull ends at once, and what comes then stays."""
    agent = await site.tenant("acme")
    waiting = asyncio.ensure_future(agent.pull(wait=50))
    await pulls(site, 1)
    await site.role.control.revoke("acme", "front", actor=MACHINE)
    await site.post(agent, body=b"not for you")
    with pytest.raises(RemoteError):
        await asyncio.wait_for(waiting, 10)
    with pytest.raises(Revoked):
        await agent.pull()
    assert (await site.role.control.organisation("acme")).backlog.events == 1


async def test_only_the_holder_replies_and_only_harmlessly(site: Site) -> None:
    """A reply for nobody is no harm; one that a browser would run is refused."""
    agent = await site.tenant("acme")
    await agent.remote.reply(Reply(id="nobody", status=200))
    with pytest.raises(Refused):
        await agent.remote.reply(Reply(id="nobody", status=500))
    await agent.remote.release(agent.epoch)
    with pytest.raises(Refused) as error:
        await agent.remote.reply(Reply(id="nobody", status=200))
    assert error.value.code == "lease_lost"


async def test_the_goodbye_of_another_leaves_the_holder_its_challenges(site: Site) -> None:
    """An agent that waits for approval, or stands by, cannot have senders told that nobody is there."""
    agent = await site.tenant("acme")
    spare = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    lane = site.role.hub.asks._lanes[agent.pairing.organisation]
    await agent.pull()
    heard = lane.ended
    with pytest.raises(Refused):
        await spare.remote.release(agent.epoch)
    await approve(agent, spare)
    await spare.remote.release(agent.epoch)
    assert lane.ended == heard > 0
    assert (await agent.pull()).holder == ""
    await agent.remote.release(agent.epoch)
    assert lane.ended < 0


async def test_a_declaration_of_a_standby_does_not_count(site: Site) -> None:
    """The lease holder's does."""
    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    declared = await second.remote.declare(await first.remote.declaration())
    assert not declared.counts
    assert declared.digest == (await first.remote.state()).declaration


async def test_a_replaced_token_is_answered_for_a_while_and_then_not(site: Site) -> None:
    """token_overlap; at its end the URL is as unknown as any other."""
    await site.apply('[server]\ntoken_overlap = "1h"')
    agent = await site.tenant("acme")
    before = agent.path("orders")
    del agent.tokens["orders"]
    await agent.declare("orders")
    assert (await site.http.post(site.url + before, content=b"x")).status_code == 200
    assert (await site.post(agent)).status_code == 200
    site.role._clock.now = lambda: time.time_ns() // 1000 + 2 * 3600 * 1_000_000  # type: ignore[method-assign]  # a later day
    site.role.hub.data_keys._now = site.role._clock.now
    object.__setattr__(site.role.hub, "now", site.role._clock.now)
    assert (await site.http.post(site.url + before, content=b"x")).status_code == 404
    assert (await site.post(agent)).status_code == 200


async def test_a_restored_proxy_is_noticed_and_never_reuses_a_number(site: Site) -> None:
    """An agent that saw more than the proxy knows: a new incarnation, a new epoch, the gap stated."""
    agent = await site.tenant("acme")
    await site.post(agent)
    await agent.drain()
    before, seen = agent.incarnation, agent.after + 10
    batch = await agent.pull(seen=seen)
    assert batch.incarnation != before
    assert (await agent.remote.state()).gap == (seen - 9, seen)
    await site.post(agent)
    assert (await agent.pull()).messages[0].seq == seen + 1


async def test_a_graceful_end_answers_who_waits_and_loses_nothing(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Under load: what was answered 200 is there afterwards; agents carry on with the lease they had."""
    port = free_port()
    sent: list[bytes] = []
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent = await site.tenant("acme")
        waiting = asyncio.ensure_future(agent.pull(wait=50, after=10**9))
        await pulls(site, 1)

        async def sender(number: int) -> None:
            for turn in range(1000):
                body = b"%d-%d" % (number, turn)
                try:
                    if (await site.post(agent, body=body)).status_code == 200:
                        sent.append(body)
                except httpx.TransportError:  # the port is closed
                    return

        senders = [asyncio.ensure_future(sender(number)) for number in range(8)]
        while len(sent) < 100:
            await asyncio.sleep(0.01)
        await site.role.stop(grace=3)
        assert not (await asyncio.wait_for(waiting, 10)).messages
        await asyncio.gather(*senders)
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent.remote = Remote(site.http, agent.pairing, version="1", count_from=time.time_ns() // 1000)
        assert set(sent) <= {event.body for event in await agent.drain()}


async def test_pairing_codes_are_guessed_in_vain(site: Site) -> None:
    """A wrong secret costs a try, and answers as an unknown code does; then the right one opens nothing either."""
    code = await site.organisation("acme")
    for guess in range(5):
        wrong = code[:-1] + "0123456789"[guess] if code[-1] != "0123456789"[guess] else code[:-1] + "Z"
        assert await refused(site, wrong) == "pairing_refused"
    assert await refused(site, code) == "pairing_refused"
    assert await refused(site, "0000-0000-0000-0000-0000") == "pairing_refused"


async def test_an_address_may_try_to_pair_only_so_often(site: Site) -> None:
    """A stranger could else spend the tries of every open code."""
    statuses = [(await site.http.post(f"{site.url}/v1/pair", content=b"{}")).status_code for _ in range(4)]
    assert statuses[:2] == [400, 400]
    assert 429 in statuses


async def refused(site: Site, code: str) -> str:
    """Why pairing was refused; the rate of one address waits for its turn."""
    while True:
        try:
            await site.join(code)
        except Refused as error:
            return error.code
        except ProxyBusy:
            await asyncio.sleep(0.2)


async def approve(by: Puller, newcomer: Puller) -> None:
    """What a person does at a ready agent; and the newcomer takes its key up."""
    pairing = newcomer.pairing
    wrapped = wrap_organisation_key(
        by.pairing.opening_key,
        exchange_public(pairing.exchange_key),
        organisation=pairing.organisation,
        agent=pairing.agent_id,
    )
    await by.remote.approve(pairing.agent_id, wrapped)
    given = await newcomer.remote.key()
    key = unwrap_organisation_key(
        given.wrapped_key,
        pairing.exchange_key,
        organisation=pairing.organisation,
        agent=pairing.agent_id,
        sealing_key=pairing.sealing_key,
    )
    newcomer.pairing = replace(pairing, opening_key=key)
    await newcomer.remote.ready(key)


def busy(site: Site) -> bool:
    """Whether the proxy's listener still works on a request."""
    listener = site.role.direct._switchboard.listener
    return listener is not None and bool(listener._state.tasks)


async def pulls(site: Site, count: int) -> None:
    """Wait until so many pulls wait."""
    async with asyncio.timeout(10):
        while sum(len(waiting) for waiting in site.role.hub.bells._waiting.values()) < count:
            await asyncio.sleep(0.01)

"""Memory for answers, and what is never written to the log."""

import asyncio
import logging

import pytest

from store.remote_errors import ProxyBusy
from tests.web.proxy.kit import Site
from web.listener.budget import SMALL, Budget
from web.proxy.bells import Bells
from web.proxy.held import Held

pytestmark = pytest.mark.anyio


async def test_what_an_answer_held_is_given_back_whatever_came_of_it() -> None:
    """Claimed in full, cut down to what was needed, given back once."""
    budget = Budget(1000)
    held = Held(budget)
    assert await held.take(5000, 0)  # more than there is: all of it
    assert budget.used == 1000
    assert not await Held(budget).take(1, 0)
    held.keep(300)
    assert budget.used == 300
    held.release()
    held.release()
    assert budget.used == 0


async def test_what_an_answer_keeps_stays_taken_while_others_wait() -> None:
    """Agents that wait for memory get what is given back, never what an answer still needs."""
    budget = Budget(3 * SMALL)
    held, other = Held(budget), Held(budget)
    assert await held.take(3 * SMALL, 0)
    waiting = asyncio.create_task(other.take(2 * SMALL, 5))
    await asyncio.sleep(0)
    held.keep(2 * SMALL)
    await asyncio.sleep(0)
    assert (budget.used, waiting.done()) == (2 * SMALL, False)
    held.keep(SMALL)
    assert await waiting
    assert budget.used == budget.limit
    held.release()
    other.release()
    assert budget.used == 0
    assert await held.take(3 * SMALL, 0)  # nothing is left counted among the large claims


async def test_agents_wait_for_memory_and_lose_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While others' answers take all there is, a pull is put off; afterwards all of it is free again."""
    agent = await site.tenant("acme")
    await site.post(agent, body=b"kept")
    others = Held(site.role.hub.outgoing)
    assert await others.take(10**12, 0)
    with pytest.raises(ProxyBusy):
        await agent.pull()
    others.release()
    assert [event.body for event in await agent.drain()] == [b"kept"]
    assert site.role.hub.outgoing.used == 0
    assert site.role.hub.budget.used == 0


async def test_only_who_can_take_an_event_hears_of_it() -> None:
    """A ring wakes the holder, a call everybody; nobody is remembered afterwards."""
    bells = Bells()
    holder, standby, other = bells.hear(1), bells.hear(1, events=False), bells.hear(2)
    bells.ring(1)
    assert (holder.done(), standby.done(), other.done()) == (True, False, False)
    bells.call(1)
    assert (standby.done(), other.done()) == (True, False)
    bells.call_all()
    assert other.done()
    left = bells.hear(3)
    bells.leave(3, left)
    assert bells._waiting == {}


async def test_no_token_body_or_code_is_ever_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where something fails."""
    caplog.set_level(logging.DEBUG)
    code = await site.organisation("acme")
    agent = await site.join(code)
    await agent.declare("orders")
    await site.post(agent, body=b"a very private body")
    await agent.drain()

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("for once")

    queue = site.role._queue()
    assert queue is not None
    put, queue.put = queue.put, fails  # type: ignore[method-assign]  # a fault
    assert (await site.post(agent, body=b"a very private body")).status_code == 500
    queue.put = put  # type: ignore[method-assign]  # as it was
    text = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records if record.name != "httpx")
    assert "a request failed" in text
    for secret in (agent.tokens["orders"], "a very private body", code, code.replace("-", "")[4:]):
        assert secret not in text

"""A touchpoint taken off hold lets go what waits, whenever that was said."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.agent_role import AgentRole
from store.inbox import StoreUnavailable
from store.log import Filter
from tests.appliance.agents import agent_over, apply, direct
from tests.chaos.ledger import Ledger, Sender
from tests.whole.senders import touchpoint

pytestmark = pytest.mark.anyio
NOWHERE = "http://127.0.0.1:1/"
TO_HOLD, TO_RUNNING = (f'[[touchpoint]]\nname = "orders"\nstate = "{state}"' for state in ("hold", "running"))


async def held(agent: AgentRole) -> int:
    """How many deliveries are kept back."""
    return int((await agent.control.status())["backlog"]["held"])


async def becomes(count: int, agent: AgentRole) -> None:
    """Wait until so many are."""
    for _ in range(200):
        if await held(agent) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{await held(agent)} deliveries are held instead of {count}")


async def with_one_held(agent: AgentRole, port: int) -> None:
    """A touchpoint on hold, and one event for it."""
    assert (await apply(agent, direct(port) + touchpoint("orders", NOWHERE, 'state = "hold"'))).problems == ()
    await post(port, 1)
    await becomes(1, agent)


async def post(port: int, number: int) -> None:
    """An event of its own for each number."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        assert await Sender(Ledger(), lambda: f"http://127.0.0.1:{port}/hooks/orders", client).send(number)


class Paused:
    """A method whose first call waits until the touchpoint was said to be off hold."""

    def __init__(self, owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended = asyncio.Event()
        self._begun = asyncio.Event()
        self._going_on = asyncio.Event()
        self._method: Callable[..., Awaitable[Any]] = getattr(owner, name)
        monkeypatch.setattr(owner, name, self._paused)

    async def _paused(self, *given: Any, **named: Any) -> Any:
        if not self._begun.is_set():
            self._begun.set()
            await self._going_on.wait()
        came_to = await self._method(*given, **named)
        self.ended.set()
        return came_to

    async def off_hold_meanwhile(self, agent: AgentRole) -> None:
        """Take the touchpoint off hold while it waits; and let it go on."""
        await self._begun.wait()
        applying = asyncio.ensure_future(apply(agent, TO_RUNNING))
        await asyncio.sleep(0.2)
        self._going_on.set()
        assert (await applying).problems == ()


async def test_off_hold_while_nothing_runs(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """By a command on a stopped folder: the next start lets it go, and no later one does what it did again."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
    async with agent_over(tmp_path, start=False) as agent:
        await apply(agent, TO_RUNNING)
        assert await held(agent) == 1
    async with agent_over(tmp_path) as agent:
        await becomes(0, agent)
        assert agent._works is not None
        await agent._works.deeds.do("hold", Filter(), dry_run=False)  # a person's deed, which is nobody else's to undo
    async with agent_over(tmp_path) as agent:
        assert await held(agent) == 1


async def test_off_hold_while_the_events_cannot_be_reached(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The configuration runs; once the file is there, so do they."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
        works, agent._works = agent._works, None
        await apply(agent, TO_RUNNING)
        assert works is not None
        agent._works, works.begun = works, False
        await agent.open_late()
        await becomes(0, agent)


async def test_what_could_not_be_written_is_done_later(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways: who asked is told, and the schedule sees to it."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
        assert agent._works is not None
        for state, count in ((TO_RUNNING, 0), (TO_HOLD, 1)):
            with monkeypatch.context() as patch:
                patch.setattr(agent._works.deeds, "do", full)
                with pytest.raises(StoreUnavailable):
                    await apply(agent, state)
                await agent.open_late()
            assert await held(agent) == 1 - count
            await agent.open_late()
            assert await held(agent) == count


async def test_what_is_being_planned_meanwhile_is_let_go_as_well(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was planned as for a touchpoint on hold, and is written after that is over."""
    port = free_port()
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, port)
        assert agent._works is not None
        moving = Paused(agent._works.drain, "_move", monkeypatch)
        await post(port, 2)
        await moving.off_hold_meanwhile(agent)
        await moving.ended.wait()
        assert await held(agent) == 0


async def test_what_is_replayed_meanwhile_is_let_go_as_well(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new run was planned as for a touchpoint on hold, and is written after that is over."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
        assert agent._works is not None
        adding = Paused(agent._works.events.actions, "add_run", monkeypatch)
        replaying = asyncio.ensure_future(agent._works.deeds.do("replay", Filter(tests=True), dry_run=False))
        await adding.off_hold_meanwhile(agent)
        assert (await replaying).changed == 1
        assert await held(agent) == 0


async def test_a_start_goes_on_where_nothing_can_be_written(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events are taken in, or refused, as the disk lets them; the page is there."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
    with monkeypatch.context() as patch:
        patch.setattr("appliance.deeds.Deeds.do", full)
        async with agent_over(tmp_path) as agent:
            assert agent._works is not None
            assert not agent._works.begun
            assert agent.direct.address
            patch.undo()
            await agent.open_late()
            assert agent._works.begun


async def full(*_: Any, **__: Any) -> None:
    """A disk that takes nothing."""
    raise StoreUnavailable("disk_full")


async def test_off_hold_while_it_is_being_held(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is carried out late, by the configuration before, does not undo what the newer one wants."""
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
        assert agent._works is not None
        holding = Paused(agent._works.deeds, "do", monkeypatch)
        late = asyncio.ensure_future(agent._works.holds.carry_out())
        await holding.off_hold_meanwhile(agent)
        await late
        assert await held(agent) == 0


async def test_an_agent_follows_all_else_where_nothing_can_be_held(
    tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was saved is to be followed, also on the way to the proxy."""
    followed = []
    async with agent_over(tmp_path) as agent:
        await with_one_held(agent, free_port())
        assert agent._works is not None

        async def follow() -> None:
            followed.append(agent.configuration.touchpoints[0].state)

        monkeypatch.setattr(agent._works.deeds, "do", full)
        monkeypatch.setattr(agent.proxy.path, "follow", follow)
        with pytest.raises(StoreUnavailable):
            await apply(agent, TO_RUNNING)
        assert followed == ["running"]
        monkeypatch.undo()

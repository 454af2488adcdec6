import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.agent import Agent
from store.configuration import Applied
from store.inbox import StoreUnavailable
from store.log import Filter
from tests.appliance.agents import MACHINE, TOUCHPOINT, agent_over, apply, codes, direct
from tests.appliance.stage import until_async
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio

Ports = Callable[[], int]


async def _post(port: int, name: str = "orders") -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(f"http://127.0.0.1:{port}/hooks/{name}", content=b"{}")).status_code


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_an_applied_configuration_runs(tmp_path: Path, free_port: Ports) -> None:
    """The listener stands, the endpoint answers, and the event is on its way."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        assert agent.direct.state == "off"
        assert codes(await apply(agent, direct(port) + TOUCHPOINT)) == []
        assert await _post(port) == 200
        assert await _post(port, "other") == 404

        async def planned() -> bool:
            status = await agent.control.status()
            return bool(status["backlog"]["outbox"] == 1 and status["backlog"]["inbox"] == 0)

        await until_async(planned)


async def test_where_the_new_address_cannot_be_bound_nothing_is_saved(tmp_path: Path, free_port: Ports) -> None:
    """The problem is told, the old listener and the old configuration stand."""
    port, taken = free_port(), free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        before = await agent.control.show()
        with socket.create_server(("127.0.0.1", taken)):
            assert codes(await apply(agent, direct(taken))) == ["port_taken"]
        assert await agent.control.show() == before
        assert agent.configuration.agent.port == port
        assert agent.direct.state == "up"
        assert await _post(port) == 200


async def _break_saving(agent: Agent, monkeypatch: pytest.MonkeyPatch, outcome: Applied | Exception) -> None:
    save = agent._opened.configuration.apply

    async def broken(*arguments: Any, dry_run: bool, **options: Any) -> Applied:
        if dry_run:
            return await save(*arguments, dry_run=True, **options)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(agent._opened.configuration, "apply", broken)


async def test_where_saving_fails_the_old_listener_is_restored(
    tmp_path: Path, free_port: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it raises or has found a problem meanwhile: what is saved and what listens stay together."""
    old, new = free_port(), free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(old) + TOUCHPOINT)
        await _break_saving(agent, monkeypatch, StoreUnavailable("disk_full"))
        with pytest.raises(StoreUnavailable):
            await apply(agent, direct(new))
        assert agent.direct.address == f"127.0.0.1:{old}"
        assert await _post(old) == 200

        await _break_saving(agent, monkeypatch, Applied(problems=(problem("secret_unreadable"),)))
        assert codes(await apply(agent, direct(new))) == ["secret_unreadable"]
        assert agent.direct.address == f"127.0.0.1:{old}"
        assert agent.configuration.agent.port == old
        assert await _post(old) == 200
        assert not await _listens(new)


async def test_a_dry_run_changes_nothing(tmp_path: Path, free_port: Ports) -> None:
    """It says what would change; no port is bound, nothing is saved."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        before = await agent.control.show()
        tried = await apply(agent, direct(port) + TOUCHPOINT, dry_run=True)
        assert tried.changes
        assert await agent.control.show() == before
        assert agent.direct.state == "off"
        assert agent.configuration.touchpoints == ()


async def test_a_wrong_document_is_told_whole_and_touches_nothing(tmp_path: Path, free_port: Ports) -> None:
    """Every problem at once."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        applied = await apply(agent, direct(free_port()) + '[limits]\nbodies = 1\n[[touchpoint]]\nname = "a b"\n')
        assert len(applied.problems) >= 2
        assert agent.direct.address == f"127.0.0.1:{port}"


async def test_renaming_keeps_the_old_url_and_removing_ends_both(tmp_path: Path, free_port: Ports) -> None:
    """No sender's URL dies by a new name; what has undelivered events is not removed."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        await agent.control.rename("orders", "sales", actor=MACHINE)
        assert [await _post(port, "orders"), await _post(port, "sales")] == [200, 200]

        async def planned() -> bool:
            return bool((await agent.control.status())["backlog"]["outbox"] == 2)

        await until_async(planned)
        assert codes(await agent.control.remove("sales", actor=MACHINE)) == ["undelivered_events"]
        for action in ("give_up", "dismiss"):
            await agent.control.act(action, Filter(), dry_run=False, actor=MACHINE)
        assert codes(await agent.control.remove("sales", actor=MACHINE)) == []
        assert [await _post(port, "orders"), await _post(port, "sales")] == [404, 404]


async def test_hold_and_release_take_along_what_was_planned(tmp_path: Path, free_port: Ports) -> None:
    """A touchpoint put on hold keeps what waits; one taken off hold lets it go."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        await _post(port)

        async def backlog(name: str) -> bool:
            return bool((await agent.control.status())["backlog"][name] == 1)

        await until_async(lambda: backlog("outbox"))
        await apply(agent, '[[touchpoint]]\nname = "orders"\nstate = "hold"')
        await until_async(lambda: backlog("held"))
        await apply(agent, '[[touchpoint]]\nname = "orders"\nstate = "running"')
        await until_async(lambda: backlog("outbox"))


async def test_a_change_reaches_the_lanes_while_the_events_cannot_be_written(
    tmp_path: Path, free_port: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is saved by then: what runs must be what is saved."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(free_port()) + TOUCHPOINT)
        works = agent._works
        assert works is not None
        monkeypatch.setattr(works.deeds, "do", _full)
        with pytest.raises(StoreUnavailable):
            await apply(agent, '[[touchpoint]]\nname = "orders"\nstate = "hold"')
        (lane,) = works.lanes._lanes.values()
        assert lane.route.paused


async def test_what_is_done_stands_in_the_audit_log(tmp_path: Path, free_port: Ports) -> None:
    """Who did what; a dry run is nothing done."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        await _post(port)

        async def given_up(*, dry_run: bool) -> bool:
            return (await agent.control.act("give_up", Filter(), dry_run=dry_run, actor=MACHINE)).changed == 1

        await until_async(lambda: given_up(dry_run=True))
        assert await given_up(dry_run=False)
        lines = [line for _, line in await agent._opened.people.audited(limit=50)]
        assert [line.actor for line in lines if line.action == "events.give_up"] == ["machine"]


async def test_an_events_file_that_is_sound_is_not_thrown_away(tmp_path: Path) -> None:
    """Only a damaged one may be begun anew."""
    async with agent_over(tmp_path / "data") as agent:
        assert await agent.control.check() == {"configuration": True, "events": True}
        with pytest.raises(ProblemError) as caught:
            await agent.control.start_empty(actor=MACHINE)
        assert caught.value.problems[0].code == "events_file_usable"


async def test_after_starting_empty_everything_runs_once(tmp_path: Path, free_port: Ports) -> None:
    """A file damaged under a running agent: the old hops have ended before the new ones begin."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port) + TOUCHPOINT)
        works = agent._works
        assert works is not None
        works.events._mark_corrupt()
        assert await _post(port) == 503
        await agent.control.start_empty(actor=MACHINE)
        names = [task.get_name() for task in agent._tasks._running]
        assert sorted(names) == sorted(set(names))
        assert "drain" in names
        assert await _post(port) == 200

        async def planned() -> bool:
            return bool((await agent.control.status())["backlog"]["outbox"] == 1)

        await until_async(planned)


async def test_started_empty_on_a_disk_that_takes_nothing_it_begins_later(
    tmp_path: Path, free_port: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, and once, whoever tries meanwhile: events that are taken in must not lie there until the next start."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(free_port()) + TOUCHPOINT)
        works = agent._works
        assert works is not None
        works.events._mark_corrupt()
        with monkeypatch.context() as patch:
            patch.setattr(works.lanes, "recall", _full)
            await agent.control.start_empty(actor=MACHINE)
        assert "drain" not in [task.get_name() for task in agent._tasks._running]
        await asyncio.gather(*(agent.open_late() for _ in range(3)))
        assert [task.get_name() for task in agent._tasks._running].count("drain") == 1


async def _full(*_: Any, **__: Any) -> None:
    raise StoreUnavailable("disk_full")

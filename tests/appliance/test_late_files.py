"""A disk that fails while the process begins: it stands, says so, and goes on by itself once the disk is well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.works import Works
from store.inbox import StoreUnavailable
from store.sqlite.events_file import EventsFile
from store.sqlite.queue_file import QueueFile
from tests.appliance.agents import MACHINE, TOUCHPOINT, agent_over, apply, direct
from tests.web.proxy.kit import proxy_over
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio


async def broken(*_: Any, **__: Any) -> Any:
    """What opening a file on a failing disk comes to."""
    raise ProblemError(problem("store_unopenable", path="there", error="disk I/O error"))


async def unavailable(*_: Any) -> None:
    """The disk fails once more."""
    raise StoreUnavailable("store_failed")


async def test_the_agents_events_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    """Nothing is taken in until the file is there; then tests, drain and lanes run as after any start."""
    monkeypatch.setattr(EventsFile, "open", broken)
    async with agent_over(tmp_path / "data") as agent:
        assert (await apply(agent, direct(free_port()) + TOUCHPOINT)).problems == ()
        assert [one["code"] for one in (await agent.control.status())["needs_you"]] == ["events_store_down"]
        await agent.open_late()
        assert agent._works is None
        monkeypatch.undo()
        monkeypatch.setattr(Works, "start", unavailable)
        await agent.open_late()
        monkeypatch.undo()
        await agent.open_late()
        await agent.open_late()
        assert agent._works is not None
        assert (await agent.control.status())["needs_you"] == []
        played = await agent.control.test("orders", None, headers={}, deliver=False, actor=MACHINE)
        assert played["verdict"] == "accepted"


async def test_the_proxys_queue_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    """Senders get 503 until it is there."""
    monkeypatch.setattr(QueueFile, "open", broken)
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        assert site.role.hub.queue() is None
        monkeypatch.undo()
        await site.role._house.open_queue()
        assert site.role.hub.queue() is not None
        agent = await site.tenant("acme")
        assert (await site.post(agent)).status_code == 200
        assert len(await agent.drain()) == 1

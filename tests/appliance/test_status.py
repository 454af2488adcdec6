from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.agent import Agent
from store.inbox import StoreUnavailable
from tests.appliance.agents import TOUCHPOINT, agent_over, apply, direct
from tests.appliance.stage import until_async
from tests.store.make import arrival
from touchpoints.moment import HOUR

pytestmark = pytest.mark.anyio

Ports = Callable[[], int]


def _codes(status: dict[str, Any]) -> list[str]:
    return [need["code"] for need in status["needs_you"]]


async def _post(agent: Agent) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"http://{agent.direct.address}/hooks/orders", content=b"{}")


async def test_a_new_agent_wants_a_mode(tmp_path: Path) -> None:
    """It runs, nothing is bound, and it says what is missing."""
    async with agent_over(tmp_path / "data") as agent:
        status = await agent.control.status()
        assert (status["running"], status["ok"], status["mode"], status["direct"]["state"]) == (True, False, None, "off")
        assert "mode_not_chosen" in _codes(status)


async def test_its_shape_when_all_is_well(tmp_path: Path, free_port: Ports) -> None:
    """The keys that scripts rely on."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(port))
        status = await agent.control.status()
        assert status["ok"] is True
        assert list(status) == [
            "version", "role", "running", "ok", "mode", "data_dir", "page", "direct", "proxy", "backlog", "needs_you",
        ]  # fmt: skip
        assert status["direct"] == {
            "state": "up",
            "address": f"127.0.0.1:{port}",
            "url": f"http://127.0.0.1:{port}",
            "error": None,
        }
        assert status["proxy"] == {
            "state": "off", "url": None, "domain": None, "last_poll_at": None, "waiting": None,
            "agent": None, "holder": None, "error": None,
        }  # fmt: skip
        assert status["backlog"] == {"inbox": 0, "outbox": 0, "held": 0, "oldest_seconds": None}


async def test_a_stopped_agents_folder(tmp_path: Path, free_port: Ports) -> None:
    """What waits is told; it is not running, so not ok."""
    async with agent_over(tmp_path / "data", start=False) as agent:
        await apply(agent, direct(free_port()) + TOUCHPOINT)
        touchpoint = agent.configuration.touchpoints[0].id
        assert agent._works is not None
        received = agent._clock.now() - HOUR
        await agent._works.events.inbox.put(arrival(1, touchpoint=touchpoint, received_at=received))
        status = await agent.control.status()
        assert (status["running"], status["ok"], status["page"]) == (False, False, None)
        assert status["backlog"]["inbox"] == 1
        assert 3600 <= status["backlog"]["oldest_seconds"] < 3700


async def test_a_destination_that_is_down_needs_a_person(tmp_path: Path, free_port: Ports) -> None:
    """With its names and in words."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(free_port()) + TOUCHPOINT)
        await _post(agent)

        async def told() -> bool:
            return "destination_down" in _codes(await agent.control.status())

        await until_async(told)
        (need,) = (await agent.control.status())["needs_you"]
        assert (need["touchpoint"], need["destination"], need["count"]) == ("orders", "erp", 1)


async def test_stranded_events_need_a_person_and_do_not_flicker(tmp_path: Path, free_port: Ports) -> None:
    """Events whose touchpoint is unknown here are told, also while the drain just looks again."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(free_port()))
        works = agent._works
        assert works is not None
        await works.events.inbox.put(arrival(1, touchpoint=999))
        works.wake()

        async def told() -> bool:
            return _codes(await agent.control.status()) == ["stranded_events"]

        await until_async(told)
        for _ in range(20):
            works.wake()
            assert await told()


async def test_a_status_is_given_also_when_the_events_cannot_be_read(
    tmp_path: Path, free_port: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is when a person asks; without numbers, and not ok."""
    async with agent_over(tmp_path / "data") as agent:
        await apply(agent, direct(free_port()))
        works = agent._works
        assert works is not None

        async def failing() -> Any:
            raise StoreUnavailable("store_failed")

        monkeypatch.setattr(works.events.log, "destinations", failing)
        status = await agent.control.status()
        assert (status["ok"], _codes(status), status["backlog"]["inbox"]) == (False, ["events_unreadable"], None)
        monkeypatch.undo()

        works.events._mark_corrupt()
        status = await agent.control.status()
        assert (status["ok"], _codes(status), status["backlog"]["inbox"]) == (False, ["events_store_down"], None)


async def test_a_taken_port_needs_a_person(tmp_path: Path, free_port: Ports) -> None:
    """The agent runs, and says why it does not listen."""
    port = free_port()
    async with agent_over(tmp_path / "data") as agent, agent_over(tmp_path / "other", start=False) as other:
        await apply(agent, direct(port))
        await apply(other, direct(port))
        other.page = "http://127.0.0.1:8422"
        await other.start()
        status = await other.control.status()
        assert (status["running"], status["ok"], status["direct"]["state"]) == (True, False, "down")
        assert _codes(status) == ["listener_down"]
        await other.stop(grace=0.1)

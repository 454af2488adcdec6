"""An older file of events is brought up to date while the page is there; what fails is told and changes nothing."""

import asyncio
import shutil
import sqlite3
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.agent_role import AgentRole
from appliance.backup.of_agent import AgentRestore
from appliance.backup.restore import Wanted, restore
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.running import digest
from store.inbox import StoreUnavailable
from store.people import Scope
from store.sqlite.database import pragma_number
from tests.appliance.agents import MACHINE, agent_over, apply, direct
from tests.chaos.ledger import Ledger, Sender, open_sink
from tests.chaos.scene import scene, until
from tests.store.upgrades import gated, newer, of
from tests.whole.senders import touchpoint
from touchpoints.problem import ProblemError
from web.operator.home import pieces as operator_pieces
from web.page.home import pieces

pytestmark = pytest.mark.anyio

ENDLESS = "CREATE TABLE n AS WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c;"
QUICK = '[backup]\nat = ""\n'  # without a backup before


async def codes(agent: Any) -> list[str]:
    """What needs a person."""
    return [need["code"] for need in (await agent.control.status())["needs_you"]]


def version(path: Path) -> int:
    """A database file's schema number."""
    with closing(sqlite3.connect(path)) as db:
        return pragma_number(db, "user_version")


async def caught_up(agent: AgentRole) -> None:
    """Wait until events are taken in and carried on."""
    await until(lambda: agent._works is not None and agent._works.begun)


async def asked(agent: AgentRole, path: str) -> httpx.Response:
    """A look at the page's port with this start's token."""
    transport = httpx.ASGITransport(agent.local)  # type: ignore[arg-type] # Litestar's type of an app
    headers = {"authorization": f"Bearer {agent.machine_token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        return await client.get(path)


async def test_the_agent_stands_while_its_events_are_brought_up_to_date(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Senders get 503 and when to try again; page, status and health say why; then it goes on by itself."""
    port, ledger = free_port(), Ledger()
    url = f"http://127.0.0.1:{port}"
    async with open_sink(ledger) as sink, httpx.AsyncClient(timeout=20, trust_env=False) as client:
        sender = Sender(ledger, lambda: f"{url}/hooks/orders", client)
        async with agent_over(tmp_path / "data") as agent:
            assert (await apply(agent, direct(port) + QUICK + touchpoint("orders", sink.url))).problems == ()
            await sender.insist(2)
        with newer("events"), gated() as gate:
            async with agent_over(tmp_path / "data") as agent:
                assert await asyncio.to_thread(gate.reached.wait, 20)
                refused = await client.post(f"{url}/hooks/orders", content=b"{}")
                assert refused.status_code == 401  # who is no sender learns nothing
                assert await sender.post() == []
                assert ledger.refused == {503: 1}
                assert (await client.get(f"{url}/health")).json() == {"ok": True, "migrating": True}
                assert (await asked(agent, "/health")).json() == {"ok": True, "migrating": True}
                status = await agent.control.status()
                assert [one["code"] for one in status["needs_you"]] == ["store_migrating"]
                assert "from file version 1 to 3" in status["needs_you"][0]["text"]
                assert (status["ok"], status["direct"]["state"], status["backlog"]["inbox"]) == (False, "up", None)
                assert "from file version 1 to 3" in (await pieces(agent._desk))["needs"]
                answer = await asked(agent, "/api/v1/events")
                assert (answer.status_code, answer.json()["problems"][0]["code"]) == (503, "store_migrating")
                with pytest.raises(StoreUnavailable, match="store_migrating"):
                    await agent.control.remove("orders", actor=MACHINE)
                with pytest.raises(StoreUnavailable, match="store_migrating"):
                    await agent.control.check()
                await agent.open_late()  # the schedule's turn: one is enough
                gate.open()
                await caught_up(agent)
                await sender.insist(2)
                assert await ledger.arrived()
                assert await codes(agent) == []
                assert (await asked(agent, "/health")).json() == {"ok": True}
    assert version(tmp_path / "data" / "events.db") == 3
    assert ledger.repeats == 0


async def test_the_proxy_stands_while_its_queue_is_brought_up_to_date(tmp_path: Path) -> None:
    """Senders get 503, agents wait, the operator is told; an agent whose own events are as old pulls once they are not."""
    async with scene(tmp_path) as made:
        house = await made.settle()
        await house.mode("proxy", switch_overlap="1s")
        sender = made.sender(house)
        await sender.insist(2)
        await made.ledger.arrived()
        await house.stop()
        await sender.insist(2)
        await made.stop()
        with newer("queue"), gated() as gate:
            await made.start()
            assert await asyncio.to_thread(gate.reached.wait, 20)
            role = made.site.role
            assert await sender.post() == []
            assert ledger_refused(made.ledger) == {503}
            assert (await made.client.get(f"{made.site.url}/health")).json() == {"ok": True, "migrating": True}
            needs = (await role.control.status())["needs_you"]
            assert [one["code"] for one in needs if one["organisation"] is None] == ["store_migrating"]
            assert "from file version 1 to 3" in (await operator_pieces(role._desk))["needs"]
            await house.start()
            await until(lambda: house.state == "down")
            gate.open()
            await until(lambda: role.opened.usable is not None)
            assert await made.ledger.arrived()
            await house.stop()
        await sender.insist(2)
        with newer("events", "queue"), gated() as gate:
            await house.start()
            assert await asyncio.to_thread(gate.reached.wait, 20)
            await until(lambda: house.state == "paused")
            assert await codes(house.agent) == ["store_migrating"]
            gate.open()
            assert await made.ledger.arrived()
            await until(lambda: house.state == "connected")
            assert await codes(house.agent) == []
        assert made.ledger.repeats == 0


def ledger_refused(ledger: Ledger) -> set[int]:
    """The statuses of what was not taken."""
    return {status for status, count in ledger.refused.items() if count}


async def test_a_failure_is_told_and_changes_nothing(tmp_path: Path) -> None:
    """The file is as it was; it is tried again, not at once, and by a program that can, it is brought up to date."""
    data = tmp_path / "data"
    async with agent_over(data) as agent:
        await apply(agent, QUICK)
    with newer("events", more=of("DROP TABLE events;\nDROP TABLE missing;")):
        async with agent_over(data) as agent:
            await until(lambda: agent.opened.trouble is not None and not agent.opened.late.migrating)
            (need,) = [one for one in (await agent.control.status())["needs_you"] if one["code"] == "events_store_down"]
            assert "from file version 1 to 2: no such table: missing. Nothing was changed." in need["text"]
            agent.opened.late._not_before = agent._clock.steady() + 60_000_000
            with newer("events", more=of("")):
                await agent.open_late()
                assert agent.opened.usable is None
    async with agent_over(data) as agent:
        assert agent.opened.usable is not None
    with newer("events"):
        async with agent_over(data) as agent:
            await caught_up(agent)
    assert version(data / "events.db") == 3


async def test_a_retry_says_what_failed_until_it_is_over(tmp_path: Path) -> None:
    """A disk that is too small stays the news while it is tried again: a person would else be told twice a minute."""
    data = tmp_path / "data"
    async with agent_over(data) as agent:
        await apply(agent, QUICK)
    with newer("events", more=of("DROP TABLE missing;")):
        async with agent_over(data) as agent:
            await until(lambda: agent.opened.trouble is not None and not agent.opened.late.migrating)
            with newer("events"), gated() as gate:
                agent.opened.late._not_before = 0
                opening = asyncio.ensure_future(agent.open_late())
                assert await asyncio.to_thread(gate.reached.wait, 20)
                assert "events_store_down" in await codes(agent)
                gate.open()
                await opening
            assert "events_store_down" not in await codes(agent)


async def test_a_stop_in_the_middle_does_not_wait_for_the_end(tmp_path: Path) -> None:
    """What has begun is undone, and begins again another time."""
    data = tmp_path / "data"
    async with agent_over(data) as agent:
        await apply(agent, QUICK)
    with newer("events", more=of(ENDLESS)):
        async with agent_over(data) as agent:
            await until(agent.opened.late._opening.locked)
            await asyncio.sleep(0.1)
            assert agent.opened.late.migrating
            began = time.monotonic()
    assert time.monotonic() - began < 10  # far from the end, which never comes
    assert version(data / "events.db") == 1
    async with agent_over(data) as agent:
        assert agent.opened.usable is not None


async def test_the_configuration_of_an_older_program_is_backed_up_with_its_events(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Once an upgrade, of all as it was; the older program puts it back, and holds what waited."""
    data, port = DataFolder(path=tmp_path / "data"), free_port()
    async with agent_over(data.path) as agent:
        applied = await apply(agent, direct(port) + touchpoint("orders", "http://127.0.0.1:1/"))
        assert applied.problems == ()
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            await Sender(Ledger(), lambda: f"http://127.0.0.1:{port}/hooks/orders", client).insist(2)
    with newer("events", "configuration"):
        async with agent_over(data.path) as agent:
            await caught_up(agent)
            (kept,) = agent._safekeeping.backups.kept()
            await agent.opened.people.add_token("newer", Scope.READ, digest("x"), now=1)
        assert not data.configuration_before.exists()
        for _ in range(2):
            async with agent_over(data.path) as agent:
                await agent.catch_up()
                assert agent._safekeeping.backups.kept() == [kept]
    assert (version(data.configuration), version(data.events)) == (3, 3)
    with pytest.raises(ProblemError, match="Start the newer Hookport again"):
        async with agent_over(data.path):
            pass
    with zipfile.ZipFile(kept.path) as archive:
        archive.extractall(tmp_path / "looked")
    assert [version(tmp_path / "looked" / name) for name in ("configuration.db", "events.db")] == [1, 1]
    wanted = Wanted(archive=kept.path)
    await restore(data, wanted, AgentRestore(), environment={}, clock=Clock(), told=lambda _n: None)
    async with agent_over(data.path) as agent:
        assert (await agent.control.status())["backlog"]["held"] == 2
        assert await agent.opened.people.tokens() == []


async def test_an_upgrade_that_began_twice_makes_one_backup(tmp_path: Path) -> None:
    """It was cut off after its backup: the next start goes on, and a good backup is not pushed out by others."""
    data = tmp_path / "data"
    async with agent_over(data) as agent:
        await apply(agent, "[page]\nhosts = []\n")
    with newer("events", more=of(ENDLESS)):
        for _ in range(2):
            async with agent_over(data) as agent:
                await until(lambda: bool(agent._safekeeping.backups.kept()))
                await until(lambda: not agent._safekeeping.owes_one)
                await asyncio.sleep(0.1)
                assert len(agent._safekeeping.backups.kept()) == 1


async def test_without_room_for_a_backup_it_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Senders are not kept waiting for a disk."""
    data = tmp_path / "data"
    async with agent_over(data):
        pass
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with newer("events", "configuration"):
        async with agent_over(data) as agent:
            await caught_up(agent)
            assert "backup_no_room" in await codes(agent)
            assert agent._safekeeping.backups.kept() == []
    assert not DataFolder(path=data).configuration_before.exists()


async def test_a_command_on_a_stopped_folder_waits_for_it(tmp_path: Path) -> None:
    """Nothing is delivered by it."""
    data = tmp_path / "data"
    async with agent_over(data) as agent:
        await apply(agent, QUICK)
    with newer("events"):
        async with agent_over(data, start=False) as agent:
            await agent.catch_up()
            assert agent.opened.usable is not None
            assert agent._works is not None
            assert not agent._works.begun

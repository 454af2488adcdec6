"""What an agent's backup that was put back may not do by itself, and how long that is told."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from appliance.agent import Agent
from appliance.agent_role import AgentRole
from appliance.backup.of_agent import AgentRestore
from appliance.backup.restore import Wanted, restore
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from store.log import Filter
from store.settings import MIB
from tests.appliance.agents import MACHINE, TOUCHPOINT, agent_over, apply
from tests.appliance.stage import until_async
from tests.store.make import arrival, query
from tests.store.test_dock import landed
from touchpoints.event import Verdict
from touchpoints.moment import DAY
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


async def put_back(folder: Path, archive: str) -> None:
    """Put a backup of a folder back into it."""
    wanted = Wanted(archive=Path(archive))
    await restore(DataFolder(path=folder), wanted, AgentRestore(), environment={}, clock=Clock(), told=lambda _n: None)


async def codes(role: Agent) -> dict[str, Any]:
    """What needs a person, by code."""
    return {need["code"]: need for need in (await role.control.status())["needs_you"]}


async def test_what_was_pulled_and_not_known_to_be_accepted_is_held(tmp_path: Path) -> None:
    """It may have been accepted, and delivered, since the backup: it is not run when the proxy says so again."""
    async with agent_over(tmp_path / "data", start=False) as role:
        applied = await apply(role, TOUCHPOINT)
        assert applied.configuration is not None
        number = applied.configuration.touchpoints[0].id
        events = role.opened.readable()
        await events.dock.put("1@abc", "first", 1, landed(1, 2, touchpoint=number, received_at=Clock().now()))
        await events.dock.put(
            "1@abc",
            "first",
            1,
            landed(3, touchpoint=number, received_at=Clock().now(), verdict=Verdict.REFUSED, reason="stale"),
        )
        made = await role._safekeeping.make(actor=MACHINE)
    await put_back(tmp_path / "data", made["file"])
    async with agent_over(tmp_path / "data", start=False) as role:
        dock = role.opened.readable().dock
        assert await dock.berths() == []
        assert await dock.seen("1@abc", "first") == (3, arrival(3).event.id)
        found = await codes(role)
        assert (found["restored"]["count"], found["refused_events"]["count"]) == (2, 1)
    assert query(tmp_path / "data" / "events.db", "SELECT state, count(*) FROM deliveries GROUP BY state") == [("held", 2)]


async def test_what_is_told_is_all_that_is_held_of_it_and_nothing_else(tmp_path: Path) -> None:
    """Also what came while the backup was made, or under a clock that was set back since; not what is held of later events."""
    async with agent_over(tmp_path / "data", start=False) as role:
        await apply(role, TOUCHPOINT)
        number = role.configuration.touchpoints[0].id
        await role.opened.readable().inbox.put(arrival(1, touchpoint=number, received_at=Clock().now() + DAY))
        made = await role._safekeeping.make(actor=MACHINE)
    await put_back(tmp_path / "data", made["file"])
    async with agent_over(tmp_path / "data") as role:
        await role._safekeeping._aftermath.look()
        assert (await codes(role))["restored"]["count"] == 1
        await apply(role, TOUCHPOINT.replace("[[touchpoint.dest", 'state = "hold"\n[[touchpoint.dest', 1))
        await role.opened.readable().inbox.put(arrival(2, touchpoint=number, received_at=7))
        assert role._works is not None
        role._works.drain.pace.wake()

        async def both_held() -> bool:
            return bool((await role.control.status())["backlog"]["held"] == 2)

        await until_async(both_held)
        await role._safekeeping._aftermath.look()
        assert (await codes(role))["restored"]["count"] == 1
        await role._works.deeds.do("dismiss", Filter(ids=(arrival(1).event.id,)), dry_run=False)
        await role._safekeeping._aftermath.look()
        assert "restored_nothing_held" in await codes(role)


async def test_a_touchpoint_taken_off_hold_lets_none_of_it_go(tmp_path: Path) -> None:
    """It was held for another reason; once somebody has looked, what is still held is as any other."""
    on_hold = TOUCHPOINT.replace("[[touchpoint.dest", 'state = "hold"\n[[touchpoint.dest', 1)
    async with agent_over(tmp_path / "data", start=False) as role:
        await apply(role, on_hold)
        number = role.configuration.touchpoints[0].id
        await role.opened.readable().inbox.put(arrival(1, touchpoint=number, received_at=Clock().now()))
        made = await role._safekeeping.make(actor=MACHINE)
    await put_back(tmp_path / "data", made["file"])
    async with agent_over(tmp_path / "data") as role:
        inbox = role.opened.readable().inbox
        await inbox.put(arrival(2, touchpoint=number, received_at=Clock().now()))
        assert role._works is not None
        role._works.drain.pace.wake()
        await until_async(lambda: _held(role, [1, 2]))
        await apply(role, TOUCHPOINT.replace("[[touchpoint.dest", 'state = "running"\n[[touchpoint.dest', 1))
        assert await _held(role, [1])
        assert (await codes(role))["restored"]["count"] == 1
        await role._safekeeping.looked(actor=MACHINE)
        for text in (on_hold, on_hold.replace("hold", "running")):
            await apply(role, text)
        assert await _held(role, [])


async def _held(role: AgentRole, numbers: list[int]) -> bool:
    """Whether these deliveries are held, and no others."""
    held = await role.opened.readable().log.events(Filter(state="held"), limit=10)
    return sorted(int(one.event.id) for one in held) == numbers


async def test_a_key_that_opens_nothing_of_it_makes_no_backup(tmp_path: Path) -> None:
    """The key file was exchanged, or damaged, while the agent ran: told at once, not when a backup is put back."""
    async with agent_over(tmp_path / "data", start=False) as role:
        await apply(role, TOUCHPOINT + '[backup]\npassphrase = "seven lazy herons"\n')
        made, key = await role._safekeeping.make(actor=MACHINE), tmp_path / "data" / "secret.key"
        own = key.read_text()
        for content, code in ((f"{bytes(32).hex()}\n", "backup_own_key_wrong"), ("half", "key_file_malformed")):
            key.write_text(content)
            with pytest.raises(ProblemError) as caught:
                await role._safekeeping.make(actor=MACHINE)
            assert caught.value.problems[0].code == code
            assert str(key) in (await codes(role))["backup_failed"]["text"]
            assert [str(one.path) for one in role._safekeeping.backups.kept()] == [made["file"]]
        key.write_text(own)
        await role._safekeeping.make(actor=MACHINE)
        assert "backup_failed" not in await codes(role)


async def test_it_leaves_the_floor_of_the_disk_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`free_disk` of [retention]: below it senders are turned away."""
    async with agent_over(tmp_path / "data", start=False) as role:
        usage = shutil.disk_usage(tmp_path)._replace(free=300 * MIB)
        monkeypatch.setattr("appliance.backup.backups.shutil.disk_usage", lambda _path: usage)
        await role._safekeeping.make(actor=MACHINE)
        await apply(role, '[retention]\nfree_disk = "300MiB"\n')
        with pytest.raises(ProblemError, match="of free disk"):
            await role._safekeeping.make(actor=MACHINE)
        assert "backup_no_room" in await codes(role)


async def test_it_is_told_until_somebody_has_looked(tmp_path: Path) -> None:
    """Also where nothing is held: what came later runs again when its sender repeats it. Nobody is signed in any more."""
    async with agent_over(tmp_path / "data", start=False) as role:
        await role.opened.people.set_password("ann", "hash", now=1)
        await role.opened.door.open_session(b"digest", "ann", now=1)
        made = await role._safekeeping.make(actor=MACHINE)
        assert await role.opened.door.session(b"digest", now=2) is not None
    await put_back(tmp_path / "data", made["file"])
    for _ in range(2):
        async with agent_over(tmp_path / "data", start=False) as role:
            assert await role.opened.door.session(b"digest", now=2) is None
            text = (await codes(role))["restored_nothing_held"]["text"]
            assert "repeated by its sender" in text
            assert f"A backup of {made['made_at'][:19]}Z was put back" in text
            assert (await role._safekeeping.told())["restored"] == made["made_at"]
    async with agent_over(tmp_path / "data", start=False) as role:
        assert role._safekeeping.unseen
        assert (await role._safekeeping.looked(actor=MACHINE))["restored"] is None
        await role._safekeeping.looked(actor=MACHINE)
        assert not role._safekeeping.unseen
    async with agent_over(tmp_path / "data", start=False) as role:
        assert "restored_nothing_held" not in await codes(role)
        actions = [line.action for _, line in await role.opened.people.audited(limit=20)]
        assert (actions.count("backup.restore"), actions.count("backup.looked")) == (1, 1)

"""The proxy's process: what needs the operator, chores, the disk, files that are damaged, and a change that cannot be bound."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.opening import AlreadyRunning, open_folder
from appliance.proxy.opening import open_proxy_folder
from appliance.proxy.server import open_proxy
from appliance.proxy.snapshot import Snapshot
from store.document import parse
from tests.web.proxy.kit import MACHINE, Site, proxy_over
from touchpoints.moment import DAY, HOUR
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


async def codes(site: Site) -> dict[str, Any]:
    """What needs the operator, by code."""
    return {need["code"]: need for need in (await site.role.control.status())["needs_you"]}


def set_clock(site: Site, later: int) -> None:
    """Another time for everything that asks the wall clock from now on."""
    real = Clock().now
    clock = site.role._clock
    clock.now = lambda: real() + later  # type: ignore[method-assign]  # a later day
    object.__setattr__(site.role.hub, "now", clock.now)
    object.__setattr__(site.role.control._status, "now", clock.now)


@pytest.fixture
async def site(tmp_path: Path, free_port: Callable[[], int]) -> Any:
    """A proxy that listens."""
    async with proxy_over(tmp_path / "proxy", free_port()) as opened:
        yield opened


async def test_a_quota_that_fills_is_told_at_half_at_four_fifths_and_at_the_end(site: Site) -> None:
    """Each once, the gravest; and to the organisation's agents as well."""
    agent = await site.tenant("acme", quota_events=10)
    told = []
    for _ in range(10):
        await site.post(agent)
        told.append([code for code in await codes(site) if code.startswith("quota_")])
    assert told == [[]] * 4 + [["quota_half"]] * 3 + [["quota_near"]] * 2 + [["quota_reached"]]
    assert (await agent.remote.state()).notices == ("quota_reached",)
    assert (await codes(site))["quota_reached"]["organisation"] == "acme"


async def test_agents_that_are_silent_while_events_wait_are_told_after_an_hour(site: Site) -> None:
    """Not before, and not while nothing waits."""
    agent = await site.tenant("acme")
    set_clock(site, 2 * HOUR)
    assert "agents_silent" not in await codes(site)
    set_clock(site, 0)
    await site.post(agent)
    assert "agents_silent" not in await codes(site)
    set_clock(site, 2 * HOUR)
    assert (await codes(site))["agents_silent"]["count"] == 1


async def test_an_agent_that_nobody_approved_hides_no_silence(site: Site) -> None:
    """It may ask as often as it likes, and lack what it likes: it takes nothing."""
    agent = await site.tenant("acme")
    waiting = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await site.post(agent)
    set_clock(site, 2 * HOUR)
    await waiting.pull(lacking=("orders",))
    assert set(await codes(site)) == {"agents_silent"}


async def test_an_organisation_without_an_agent_is_told_once_its_code_has_run_out(site: Site) -> None:
    """And one without any organisation is told to begin."""
    assert set(await codes(site)) == {"no_organisation_yet"}
    await site.organisation("acme")
    assert await codes(site) == {}
    set_clock(site, HOUR)
    assert set(await codes(site)) == {"no_agent_yet"}


async def test_events_that_go_by_their_age_are_told_also_after_a_restart(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """For a week, from the audit log; nothing goes while the clock cannot be believed."""
    port = free_port()
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent = await site.tenant("acme")
        await site.post(agent)
        set_clock(site, 20 * DAY)
        await site.role._house.expire()
        assert (await site.role.control.organisation("acme")).backlog.events == 1
        site.role._house.calm = lambda: True
        await site.role._house.expire()
        assert (await site.role.control.organisation("acme")).backlog.events == 0
        assert (await codes(site))["events_expired"]["count"] == 1
    async with proxy_over(tmp_path / "proxy", port) as site:
        assert (await codes(site))["events_expired"]["organisation"] == "acme"


async def test_below_the_floor_nothing_is_taken_in_and_what_is_there_can_be_pulled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders try again; agents make room."""
    agent = await site.tenant("acme")
    await site.post(agent, body=b"before")
    monkeypatch.setattr("appliance.floor.shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    await site.role._house.look_at_floor()
    answer = await site.post(agent)
    assert (answer.status_code, bool(answer.headers["retry-after"])) == (503, True)
    assert "disk_low" in await codes(site)
    assert [event.body for event in await agent.drain()] == [b"before"]
    monkeypatch.undo()
    await site.role._house.look_at_floor()
    assert (await site.post(agent)).status_code == 200


async def test_what_a_revoked_agent_left_unsettled_and_a_gap_are_told(site: Site) -> None:
    """Both cost a look at the disk, and so come with the survey."""
    agent = await site.tenant("acme")
    await site.post(agent)
    await agent.drain()
    await agent.pull(seen=agent.after + 3, settled=0, unsettled=1)
    await site.role.control.revoke("acme", "front", actor=MACHINE)
    await site.role._house.survey()
    found = await codes(site)
    assert found["events_unsettled"]["count"] == 1
    assert found["queue_gap"]["organisation"] == "acme"


async def test_a_standby_that_lacks_something_is_told(site: Site) -> None:
    """Before it is needed."""
    from tests.web.proxy.test_calls import approve

    first = await site.tenant("acme")
    second = await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    await approve(first, second)
    await second.pull(lacking=("orders",))
    assert (await codes(site))["agent_lacks"]["text"].startswith("The standby agent spare of acme lacks")


async def test_agents_last_words_are_written_down(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """So that a restart knows when each was heard."""
    port = free_port()
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent = await site.tenant("acme")
        await agent.pull(lacking=("orders",))
        [before] = (await site.role.control.organisation("acme")).agents
    async with proxy_over(tmp_path / "proxy", port) as site:
        [after] = (await site.role.control.organisation("acme")).agents
    assert (after.last_seen_at, after.lacking, after.connected) == (before.last_seen_at, ("orders",), False)


async def test_a_port_that_is_taken_changes_nothing(site: Site) -> None:
    """The old listener stands, the old setting is kept."""
    agent = await site.tenant("acme")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        applied = await site.role.control.apply(
            parse(f"[server]\nport = {port}".encode()), base=".", digest="", prune=False, dry_run=False, actor=MACHINE
        )
    assert [one.code for one in applied.problems] == ["port_taken"]
    assert site.role.configuration.server.port != port
    assert (await site.post(agent)).status_code == 200


async def test_pruning_a_file_removes_an_organisation_only_when_nothing_waits_for_it(site: Site) -> None:
    """And then everything of it."""
    agent = await site.tenant("acme")
    await site.post(agent)
    own = (await site.role.control.show()).partition("[[organisation]]")[0]

    async def prune() -> list[str]:
        applied = await site.role.control.apply(
            parse(own.encode()), base=".", digest="", prune=True, dry_run=False, actor=MACHINE
        )
        return [one.code for one in applied.problems]

    assert await prune() == ["organisation_has_events"]
    await agent.drain()
    assert await prune() == []
    assert await site.role.control.organisations() == []
    assert (await site.post(agent)).status_code == 404


async def test_what_is_pruned_is_forgotten_in_memory_as_well(site: Site) -> None:
    """The agents of an organisation that is gone leave nothing behind, removed or pruned."""
    hub = site.role.hub
    pruned, removed = await site.tenant("acme"), await site.tenant("other")
    own = (await site.role.control.show()).partition("[[organisation]]")[0]
    for agent in (pruned, removed):
        await agent.pull()
    await site.role.control.remove("other", actor=MACHINE)
    applied = await site.role.control.apply(parse(own.encode()), base=".", digest="", prune=True, dry_run=False, actor=MACHINE)
    assert applied.removed == (pruned.pairing.organisation,)
    for agent in (pruned, removed):
        assert hub.sightings.last(agent.pairing.agent_id) is None
        assert agent.pairing.agent_id not in hub.gatekeeper._standing


async def test_the_pages_certificate_is_told_before_it_ends(site: Site) -> None:
    """As that of the public listener is."""
    ends = Clock().now() + 29 * DAY
    site.role.serve_page_with(type("Ends", (), {"expires_at": ends})())
    assert set(await codes(site)) == {"no_organisation_yet", "page_certificate_expires"}


async def test_a_damaged_queue_stops_neither_page_nor_listener_until_somebody_chooses(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Senders are told to come again; start-empty makes a new one beside it, and agents see a new incarnation."""
    port = free_port()
    async with proxy_over(tmp_path / "proxy", port) as site:
        agent = await site.tenant("acme")
        await site.post(agent)
        await agent.drain()
    file = tmp_path / "proxy" / "queue.db"
    file.write_bytes(b"\x00" * 4096)
    async with proxy_over(tmp_path / "proxy", port) as site:
        assert "queue_store_down" in await codes(site)
        assert (await site.post(agent)).status_code == 503
        assert DataFolder(path=tmp_path / "proxy").is_proxy
        await site.role.control.start_empty(actor=MACHINE)
        assert (await site.post(agent)).status_code == 200
        assert "queue_store_down" not in await codes(site)
        with pytest.raises(ProblemError):
            await site.role.control.start_empty(actor=MACHINE)


async def test_removing_an_organisation_erases_all_that_is_kept_of_it(site: Site) -> None:
    """What waits, what was acknowledged; another organisation's stays."""
    gone, stays = await site.tenant("acme"), await site.tenant("other")
    for agent in (gone, stays):
        await site.post(agent)
    assert await site.role.control.remove("acme", actor=MACHINE) == 1
    queue = site.role._queue()
    assert queue is not None
    assert [found async for found in queue.export(gone.pairing.organisation) if found.messages] == []
    assert len(await stays.drain()) == 1


async def test_an_export_holds_all_that_its_agents_need_to_open_it(site: Site) -> None:
    """Keys beside events; nothing in clear."""
    import json

    agent = await site.tenant("acme")
    await site.post(agent, body=b"very private words")
    lines = [json.loads(line) async for line in site.role.control.export("acme")]
    assert [line["kind"] for line in lines] == ["organisation", "agent", "declaration", "key", "event"]
    assert "very private" not in json.dumps(lines)
    assert lines[3]["id"] == lines[4]["key_id"]


async def test_two_processes_never_share_a_folder_and_roles_are_told_apart(tmp_path: Path) -> None:
    """An agent does not open a proxy's folder."""
    opened = await open_proxy_folder(DataFolder(path=tmp_path / "proxy"), Clock())
    with pytest.raises(AlreadyRunning):
        await open_proxy(DataFolder(path=tmp_path / "proxy"), Clock(), {}, Redactor())
    key = opened.signing_key
    await opened.close()
    with pytest.raises(ProblemError) as error:
        await open_folder(DataFolder(path=tmp_path / "proxy"), Clock())
    assert error.value.problems[0].code == "store_foreign"
    again = await open_proxy_folder(DataFolder(path=tmp_path / "proxy"), Clock())
    assert (again.signing_key, again.instance) == (key, opened.instance)
    await again.close()


async def test_changes_at_the_same_time_share_one_look() -> None:
    """A thousand agents that declare at once cost a few snapshots."""
    looks = 0

    class Store:
        async def all(self) -> list[Any]:
            nonlocal looks
            looks += 1
            await asyncio.sleep(0)
            return []

        async def endpoints(self) -> list[Any]:
            return []

        async def everyone(self) -> list[Any]:
            return []

    snapshot = Snapshot(Store())  # type: ignore[arg-type]  # what a snapshot asks of it
    await asyncio.gather(*(snapshot.refresh() for _ in range(1000)))
    assert looks <= 2

"""The proxy side of a whole agent, at a real proxy: pairing, what a person is told and does, and what a former pairing left."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.agent_role import AgentRole
from appliance.proxy_needs import proxy_needs
from store.dock import Landed
from store.log import Filter
from store.settings import Configuration, ProxySettings
from tests.appliance.agents import TOUCHPOINT, agent_over, apply, codes, direct
from tests.appliance.stage import until, until_async
from tests.store.make import arrival
from tests.web.proxy.kit import MACHINE, Site, proxy_over
from touchpoints.event import ArrivedBy
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.pull.message import Backlog
from web.membership import Standing

pytestmark = pytest.mark.anyio

Ports = Callable[[], int]
PROXY = '[agent]\nmode = "proxy"\n[retention]\nfree_disk = "0B"\n'
STANDING = Standing(state="connected", paired=True, url="https://p", domain="acme", backlog=Backlog(events=3, bytes=2048))


@pytest.fixture
async def site(tmp_path: Path, free_port: Ports) -> Any:
    """A proxy that listens."""
    async with proxy_over(tmp_path / "proxy", free_port()) as opened:
        yield opened


@asynccontextmanager
async def paired(site: Site, folder: Path, configuration: str = PROXY + TOUCHPOINT) -> AsyncIterator[AgentRole]:
    """The first agent of acme, running."""
    async with agent_over(folder) as agent:
        assert codes(await apply(agent, configuration)) == []
        assert await agent.proxy.pair(await site.organisation("acme"), site.url, name="one", actor="ann")
        yield agent


async def audited(agent: AgentRole) -> list[str]:
    return [line.action for _, line in reversed(await agent.opened.people.audited(limit=50))]


def refused(caught: pytest.ExceptionInfo[ProblemError]) -> str:
    return caught.value.problems[0].code


async def test_in_direct_mode_the_proxy_is_asked_all_the_same(site: Site, tmp_path: Path, free_port: Ports) -> None:
    """Pairing leaves the mode as it is; nothing is pulled, and yet a person may see the organisation and leave it."""
    async with paired(site, tmp_path / "one", direct(free_port()) + TOUCHPOINT) as agent:
        standing = agent.proxy.standing()
        assert (standing.state, standing.paired, standing.host) == ("off", True, f"{site.url.removeprefix('http://')}/acme")
        status = await agent.control.status()
        assert (status["ok"], status["proxy"]["state"], status["proxy"]["domain"]) == (True, "off", "acme")
        (listed,) = (await agent.proxy.state()).agents
        assert (listed.name, listed.state) == ("one", "ready")
        with pytest.raises(ProblemError) as caught:
            await agent.proxy.rotate("orders", actor="ann")
        assert refused(caught) == "proxy_path_off"
        await agent.proxy.leave(anyway=False, actor="ann")
        assert agent.proxy.standing() == Standing()
        with pytest.raises(ProblemError) as caught:
            await agent.proxy.state()
        assert refused(caught) == "proxy_no_pairing"
    assert [one.state for one in (await site.role.control.organisation("acme")).agents] == ["revoked"]


async def test_deeds_are_done_and_written_down(site: Site, tmp_path: Path) -> None:
    """A renewed URL, events queued again, an old way in closed: each with its line; what is not there is said."""
    async with paired(site, tmp_path / "one") as agent:
        await until(lambda: bool(agent.proxy.endpoint_urls) and agent.proxy.up)
        before = dict(agent.proxy.endpoint_urls)
        await agent.proxy.rotate("orders", actor="ann")
        assert agent.proxy.endpoint_urls != before
        assert await agent.proxy.seek(0, actor="ann") == 0
        for deed, code in (
            (agent.proxy.rotate("nobody", actor="ann"), "touchpoint_unknown"),
            (agent.proxy.close_old("proxy", actor="ann"), "path_not_closing"),
            (agent.proxy.close_old("x", actor="ann"), "path_not_closing"),
            (agent.proxy.pair("c", site.url, name="two", actor="ann"), "proxy_already_paired"),
        ):
            with pytest.raises(ProblemError) as caught:
                await deed
            assert refused(caught) == code
        await apply(agent, '[proxy]\nurl = "https://elsewhere.example"\n')
        assert "proxy_settings_differ" in [need["code"] for need in (await agent.control.status())["needs_you"]]
        done = [action for action in await audited(agent) if action.startswith("proxy.")]
        assert done == ["proxy.pair", "proxy.rotate", "proxy.seek"]


async def test_a_switch_closes_the_proxy_gently_and_a_person_at_once(site: Site, tmp_path: Path, free_port: Ports) -> None:
    """The endpoint is answered until it is closed, and the list names only URLs of the mode."""
    async with paired(site, tmp_path / "one") as agent:
        await until(lambda: bool(agent.proxy.endpoint_urls) and agent.proxy.up)
        (url,) = agent.proxy.endpoint_urls.values()

        async def answers(status: int) -> bool:
            return (await site.http.post(url, content=b"{}")).status_code == status

        await until_async(lambda: answers(200))
        await apply(agent, direct(free_port()))
        closing = agent.proxy.standing().closing
        assert closing is not None
        assert closing.closes_at >= closing.since
        (line,) = (await agent.control.touchpoints())["touchpoints"]
        assert (line["endpoint_urls"]["proxy"], line["endpoint_urls"]["direct"] is not None) == (None, True)
        assert await answers(200)
        await agent.proxy.close_old("proxy", actor="ann")
        await until_async(lambda: answers(404))
        await until(lambda: agent.proxy.standing().state == "off")
        assert "proxy.close_old" in await audited(agent)


async def test_what_a_former_pairing_left_is_run_or_dropped(site: Site, tmp_path: Path) -> None:
    """Pulled, never confirmed, and its proxy is asked no more: a person decides."""
    async with paired(site, tmp_path / "one") as agent:
        await until(lambda: agent.proxy.up)
        dock = agent.opened.events.dock if agent.opened.events else None
        assert dock is not None
        touchpoint = agent.configuration.touchpoints[0].id

        def landed(number: int) -> Landed:
            one = arrival(number, touchpoint=touchpoint)
            return Landed(seq=number, arrival=replace(one, event=replace(one.event, arrived_by=ArrivedBy.PROXY)))

        for number, run in ((1, True), (2, False)):
            await dock.put("another", "inc", number, [landed(number)])
            needs = {need["code"]: need for need in (await agent.control.status())["needs_you"]}
            assert needs["proxy_left"]["count"] == agent.proxy.standing().left == 1
            assert await agent.proxy.settle_left(run=run, actor="ann") == 1
            assert agent.proxy.standing().left == 0
            assert await dock.berths() == []

        async def ran() -> bool:
            listed = await agent.opened.events.log.events(Filter(), limit=9) if agent.opened.events else []
            return [one.event.id for one in listed if one.deliveries] == [landed(1).arrival.event.id]

        await until_async(ran)
        assert (await audited(agent)).count("proxy.settle_left") == 2


async def test_that_the_proxy_was_restored_is_dismissed_once(site: Site, tmp_path: Path) -> None:
    """By a person, who stands in the audit log."""
    async with paired(site, tmp_path / "one") as agent:
        await until(lambda: agent.proxy.up)
        agent.proxy.path.standing.proxy_restored = True
        assert "proxy_restored" in [need["code"] for need in (await agent.control.status())["needs_you"]]
        for _ in range(2):
            await agent.proxy.dismiss_restored(actor="ann")
            assert "proxy_restored" not in [need["code"] for need in (await agent.control.status())["needs_you"]]
        assert (await audited(agent)).count("proxy.dismiss_restored") == 1


async def test_a_restored_agent_is_told_and_one_among_others_is_not(site: Site, tmp_path: Path) -> None:
    """Alone, what it lacks is what it lost, until it is queued again; what others may have pulled is theirs."""
    folder = tmp_path / "one"

    def lose_events() -> None:
        for file in folder.glob("events.db*"):
            file.unlink()

    async with paired(site, folder) as agent:
        await until(lambda: bool(agent.proxy.endpoint_urls) and agent.proxy.up)
        (url,) = agent.proxy.endpoint_urls.values()

        async def answers() -> bool:
            return (await site.http.post(url, content=b"{}")).status_code == 200

        async def acknowledged(number: int) -> bool:
            return (await agent.proxy.state()).acknowledged == number

        await until_async(answers)
        await until_async(lambda: acknowledged(1))
    lose_events()
    async with agent_over(folder) as agent:
        await until(lambda: agent.proxy.path.standing.behind is not None)
        await agent.proxy.look()
        assert agent.proxy.standing().behind == (0, 1)
        assert "proxy_behind" in [need["code"] for need in (await agent.control.status())["needs_you"]]
        assert await agent.proxy.seek(0, actor="ann") == 1
        assert agent.proxy.standing().behind is None
        await until_async(lambda: acknowledged(2))  # queued again it has a new number
    await site.join((await site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="spare")
    lose_events()
    async with agent_over(folder) as agent:
        await until(lambda: agent.proxy.path.standing.behind is not None)
        await agent.proxy.look()
        assert agent.proxy.standing().behind is None


def told(standing: Standing, **more: Any) -> dict[str, tuple[int, str]]:
    options = {"paused": "", "unverified": {}, "configuration": Configuration(), **more}
    needs = proxy_needs(standing, options["configuration"], paused=options["paused"], unverified=options["unverified"])
    return {need.problem.code: (need.count, need.problem.text) for need in needs}


def test_nothing_wrong_needs_nobody() -> None:
    """Connected or standing by, paired or not."""
    assert told(STANDING) == told(Standing()) == told(replace(STANDING, state="standby", holder="spare")) == {}


def test_needs_of_the_way_and_of_the_proxy() -> None:
    """What comes and goes on the way is one need; what a person must do keeps its own code."""
    ways = [problem("proxy_silent", seconds=9), problem("proxy_busy", seconds=1), Problem("proxy_tls", "x", "y")]
    assert [list(told(replace(STANDING, problem=one))) for one in ways] == [["proxy_down"]] * 3
    assert "9 s" in told(replace(STANDING, problem=ways[0]))["proxy_down"][1]
    assert list(told(replace(STANDING, problem=problem("proxy_key_waits")), paused="disk_full")) == ["proxy_key_waits"]
    assert "disk_full" in told(STANDING, paused="disk_full")["proxy_store_waits"][1]
    wrong = replace(STANDING, notices=("quota_near", "unheard_of"), gap=(4, 9), behind=(2, 9), lacking=("stock",), left=6)
    found = told(wrong, unverified={"parts": 2, "": 1})
    assert {code: count for code, (count, _) in found.items()} == {
        "proxy_quota_near": 1,
        "proxy_gap": 1,
        "proxy_behind": 7,
        "proxy_lacking": 1,
        "proxy_left": 6,
        "events_lack_touchpoint": 3,
    }
    assert "3 events, 2KiB" in found["proxy_quota_near"][1]
    assert "parts, ?" in found["events_lack_touchpoint"][1]


@pytest.mark.parametrize(
    ("url", "domain", "differs"),
    [("", "", False), ("https://P/", "acme", False), ("https://q", "", True), ("", "other", True)],
)
def test_the_file_names_the_proxy_of_the_pairing_or_none(url: str, domain: str, differs: bool) -> None:
    """Said in words, not refused: the pairing counts."""
    configuration = Configuration(proxy=ProxySettings(url=url, domain=domain))
    assert ("proxy_settings_differ" in told(STANDING, configuration=configuration)) is differs
    assert told(Standing(), configuration=configuration) == {}

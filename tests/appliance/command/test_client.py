"""Finding the agent: running, stopped, or gone without a word."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from litestar import Litestar

import appliance.stopped
from appliance.command.root import hookport
from appliance.data_folder import DataFolder
from appliance.opening import AlreadyRunning
from appliance.running import Running, write_running
from tests.appliance.command.conftest import Served
from tests.web.api.stand_in import MACHINE_TOKEN, StandIn


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stopped agent's folder; opening it gives the stand-in process."""
    data = tmp_path / "data"
    data.mkdir()

    @asynccontextmanager
    async def opened(data_dir: Path, *, proxy: bool) -> AsyncIterator[tuple[Litestar, str]]:
        assert (data_dir, proxy) == (data, False)
        yield StandIn(spool=tmp_path).app(), MACHINE_TOKEN

    monkeypatch.setattr("appliance.stopped.open_stopped", opened)
    return data


def test_a_stopped_agents_folder_is_opened_here(stopped: Path) -> None:
    """The same command works without a running agent, and status says that none runs."""
    listed = CliRunner().invoke(hookport, ["touchpoint", "list", "--data-dir", str(stopped)])
    assert (listed.exit_code, "orders" in listed.stdout) == (0, True)
    status = CliRunner().invoke(hookport, ["status", "--data-dir", str(stopped)])
    assert status.exit_code == 1
    assert "Hookport does not run" in status.stdout
    assert "2 to deliver" in status.stdout


def test_what_a_killed_agent_left_is_no_sign_of_life(stopped: Path, free_port: Callable[[], int]) -> None:
    """running.json names a port where nobody listens: the folder is opened here."""
    write_running(DataFolder(path=stopped), Running(pid=1, page=f"http://127.0.0.1:{free_port()}"), "old")
    assert CliRunner().invoke(hookport, ["touchpoint", "list", "--data-dir", str(stopped)]).exit_code == 0


def test_one_that_is_just_starting_is_waited_for(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the folder and answers nobody yet; one that holds it for long is told."""
    opened, tries = appliance.stopped.open_stopped, 0

    @asynccontextmanager
    async def held(data_dir: Path, *, proxy: bool) -> AsyncIterator[tuple[Litestar, str]]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise AlreadyRunning(DataFolder(path=data_dir))
        async with opened(data_dir, proxy=proxy) as given:
            yield given

    monkeypatch.setattr("appliance.stopped.open_stopped", held)
    assert CliRunner().invoke(hookport, ["touchpoint", "list", "--data-dir", str(stopped)]).exit_code == 0
    tries = -1000
    monkeypatch.setattr("appliance.command.client._STARTING", 0.1)
    refused = CliRunner().invoke(hookport, ["touchpoint", "list", "--data-dir", str(stopped)])
    assert (refused.exit_code, "already runs" in refused.stderr) == (3, True)


def test_a_page_address_that_makes_no_sense_is_no_agent(stopped: Path) -> None:
    """Whatever stands in running.json, the command goes on."""
    for page in ("ftp://127.0.0.1:1", "", "http://[", "nonsense"):
        write_running(DataFolder(path=stopped), Running(pid=1, page=page), "old")
        assert CliRunner().invoke(hookport, ["touchpoint", "list", "--data-dir", str(stopped)]).exit_code == 0, page


def test_a_proxy_of_the_environment_is_not_asked(served: Served, free_port: Callable[[], int]) -> None:
    """The agent is on this machine, whatever HTTP_PROXY says."""
    proxy = f"http://127.0.0.1:{free_port()}"
    result = served.run("touchpoint", "list", env={"HTTP_PROXY": proxy, "ALL_PROXY": proxy, "http_proxy": proxy})
    assert result.exit_code == 0


def test_a_folder_nobody_made_is_not_made(tmp_path: Path) -> None:
    """A mistyped --data-dir is an error in words; only what may begin an agent makes one."""
    result = CliRunner().invoke(hookport, ["events", "list", "--data-dir", str(tmp_path / "typo")])
    assert result.exit_code == 1
    assert "There is no data folder" in result.stderr
    assert not (tmp_path / "typo").exists()


def test_what_takes_as_long_as_there_is_much_is_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that was made, and a file that is being read from end to end, must not be told as an agent that is silent."""
    monkeypatch.setattr("appliance.command.client._PATIENCE", 0.4)
    for owner, name in ((served.process.safekeeping, "make"), (served.process.control, "check")):
        monkeypatch.setattr(owner, name, slow(getattr(owner, name)))
    for command in ("backup", "check"):
        done = served.run(command)
        assert (done.exit_code, "did not answer" in done.stderr) == (0, False), command
    monkeypatch.setattr(served.process.control, "touchpoints", slow(served.process.control.touchpoints))
    assert "did not answer" in served.run("touchpoint", "list").stderr


def slow(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, a second late."""

    async def late(*given: Any, **named: Any) -> Any:
        await asyncio.sleep(1)
        return await work(*given, **named)

    return late

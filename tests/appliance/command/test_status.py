"""`hookport status` and `check`."""

import json
from pathlib import Path

from click.testing import CliRunner

from appliance.command.root import hookport
from tests.appliance.command.conftest import Served


def test_status_exits_0_only_when_all_is_well(served: Served) -> None:
    """Something that needs a person makes it 1; what strangers sent does not act on the terminal."""
    well = served.run("status")
    assert well.exit_code == 0
    assert "1 to plan, 2 to deliver, 3 held; the oldest for 4 s" in well.stdout
    served.process.control.ok = False
    ill = served.run("status")
    assert ill.exit_code == 1
    assert "5 gave\\x1b[2Jup" in ill.stdout
    assert json.loads(served.run("status", "--json").stdout)["needs_you"][0]["count"] == 5


def test_status_of_nothing_says_so(tmp_path: Path) -> None:
    """Where nothing ever ran, the shape is whole, `running` is false, the exit code 1, and no folder is made."""
    result = CliRunner().invoke(hookport, ["status", "--json", "--data-dir", str(tmp_path / "none")])
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["running"], found["ok"], found["backlog"]["inbox"]) == (False, False, None)
    assert "There is no data folder" in result.stderr
    assert not (tmp_path / "none").exists()


def test_another_program_on_the_port_is_no_agent(served: Served) -> None:
    """A token that what answers does not know is an error in words, not a crash."""
    served.folder.machine_token.write_text("stale")
    result = served.run("touchpoint", "list")
    assert result.exit_code == 1
    assert "token is not known" in result.stderr


def test_check_opens_everything(served: Served) -> None:
    """It tells of the configuration and the events file apart."""
    result = served.run("check", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"configuration": True, "events": True})


def test_a_stopped_one_tells_of_damaged_events(tmp_path: Path) -> None:
    """`check` sends a person to `status`: it says what to do also while nothing runs."""
    config, data = tmp_path / "agent.toml", ["--data-dir", str(tmp_path / "data")]
    config.write_text("[limits]\nper_second = 7\n")
    assert CliRunner().invoke(hookport, ["config", "apply", str(config), *data]).exit_code == 0
    (tmp_path / "data" / "events.db").write_bytes(b"no database" * 1000)
    assert "`hookport status` tells what to do" in CliRunner().invoke(hookport, ["check", *data]).stdout
    result = CliRunner().invoke(hookport, ["status", *data])
    assert result.exit_code == 1
    assert "Hookport does not run" in result.stdout
    assert "Waiting      unknown" in result.stdout
    assert "--start-empty" in result.stdout

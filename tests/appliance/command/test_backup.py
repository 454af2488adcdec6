"""`hookport backup` and `hookport restore` on stopped folders of either role."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.command.root import hookport
from web.page.figures import size


def run(folder: Path, *args: str, stdin: str = "") -> Result:
    """A command on a folder."""
    return CliRunner().invoke(hookport, [*args, "--data-dir", str(folder)], input=stdin)


def told(folder: Path, *args: str) -> Any:
    """What a command says in JSON."""
    done = run(folder, *args, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def needs(folder: Path) -> list[str]:
    """The codes of what needs a person."""
    return [one["code"] for one in json.loads(run(folder, "status", "--json").stdout)["needs_you"]]


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """A stopped agent's folder."""
    config = tmp_path / "agent.toml"
    config.write_text('[backup]\npassphrase = "seven lazy herons"\n')
    assert run(tmp_path / "agent", "config", "apply", str(config)).exit_code == 0
    return tmp_path / "agent"


@pytest.fixture
def proxy(tmp_path: Path) -> Path:
    """A stopped proxy's folder with an organisation."""
    assert run(tmp_path / "proxy", "proxy", "org", "add", "acme").exit_code == 0
    return tmp_path / "proxy"


def test_a_proxys_folder_is_known_by_either_command(proxy: Path, tmp_path: Path) -> None:
    """`hookport backup` and `hookport proxy backup` mean the same there; a new folder becomes what the command is of."""
    made = run(proxy, "backup")
    assert made.exit_code == 0
    assert "1 organisations, 0 agents, 0 events that wait" in made.stderr
    assert f"keep a copy of {proxy / 'secret.key'}" in made.stderr
    file = made.stdout.strip()
    assert Path(file).name.startswith("hookport-proxy-")
    assert [one["file"] for one in told(proxy, "proxy", "backup", "--list")["backups"]] == [file]
    assert file in run(proxy, "backup", "--list").stdout

    put_back = run(proxy, "restore", file)
    assert put_back.exit_code == 0
    assert "1 organisations, 0 agents" in put_back.stdout
    assert "hookport proxy backup --looked" in put_back.stderr
    assert "proxy_put_back" in needs(proxy)
    listed = told(proxy, "backup", "--looked")
    assert (listed["restored"], len(listed["backups"])) == (None, 1)

    new = tmp_path / "new"
    assert run(new, "proxy", "restore", file, "--key", str(proxy / "secret.key")).exit_code == 0
    assert [one["name"] for one in told(new, "proxy", "org", "list")["organisations"]] == ["acme"]
    assert "proxy_put_back" in needs(new)


def test_a_backup_of_the_other_role_is_refused_in_words(proxy: Path, agent: Path, tmp_path: Path) -> None:
    """Whatever the command and whosever the folder is."""
    of_proxy, of_agent = (told(folder, "backup")["file"] for folder in (proxy, agent))
    for folder, command, file, code in (
        (tmp_path / "new", ("restore",), of_proxy, "backup_of_proxy"),
        (agent, ("restore",), of_proxy, "backup_of_proxy"),
        (agent, ("proxy", "restore"), of_proxy, "backup_of_proxy"),
        (tmp_path / "new", ("proxy", "restore"), of_agent, "backup_of_agent"),
        (proxy, ("restore",), of_agent, "backup_of_agent"),
    ):
        refused = run(folder, *command, file, "--passphrase", "-", stdin="seven lazy herons")
        assert (refused.exit_code, f"[{code}]" in refused.stderr) == (1, True), refused.stderr
    assert not (tmp_path / "new").exists()


def test_an_agents_is_put_back_and_looked_at(agent: Path, tmp_path: Path) -> None:
    """The passphrase opens it; what is told is over once somebody says so."""
    made = told(agent, "backup")
    assert (made["with_key"], made["organisations"]) == (True, 0)
    new = tmp_path / "new"
    done = run(new, "restore", made["file"], "--passphrase", "-", stdin="seven lazy herons")
    assert done.exit_code == 0
    assert "hookport events list --state held" in done.stderr
    assert "hookport backup --looked" in done.stderr
    assert f"as of {made['made_at'][:19]}Z:" in done.stdout
    heads, line = run(agent, "backup", "--list").stdout.splitlines()
    assert heads.split() == ["MADE", "SIZE", "FILE"]
    assert line.split() == [f"{made['made_at'][:19]}Z", *size(made["bytes"]).split(), made["file"]]
    assert "restored_nothing_held" in needs(new)
    assert run(new, "backup", "--looked").exit_code == 0
    assert "restored_nothing_held" not in needs(new)
    assert run(new, "backup", "--looked", "--list").exit_code == 2

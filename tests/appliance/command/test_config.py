"""`hookport config`."""

import json
from pathlib import Path

from tests.appliance.command.conftest import Served


def test_a_file_is_applied_from_its_folder(served: Served, tmp_path: Path) -> None:
    """`file:` names are relative to the file; changes are told one a line."""
    file = tmp_path / "hook.toml"
    file.write_bytes(b"\xef\xbb\xbf[agent]\r\nport = 8420\r\n")
    result = served.run("config", "apply", str(file), "--prune")
    assert (result.exit_code, result.stdout) == (0, "changed  touchpoint.orders\n")
    _, document, base, _, prune, dry_run, actor = served.process.control.calls[0]
    assert (document, base, prune, dry_run) == ({"agent": {"port": 8420}}, str(tmp_path), True, False)
    assert actor.machine


def test_a_refused_configuration_exits_2_with_every_problem(served: Served, tmp_path: Path) -> None:
    """All of them at once, each with its path."""
    served.process.control.refuse = ("agent.port", "touchpoint.orders.secrets[0]")
    file = tmp_path / "hook.toml"
    file.write_text("[agent]")
    result = served.run("config", "apply", str(file), "--dry-run")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["agent.port", "touchpoint.orders.secrets[0]"]


def test_files_that_are_no_configuration(served: Served, tmp_path: Path) -> None:
    """Too large, no UTF-8, no TOML, not there: each in words, and nothing reaches the agent."""
    for content, code, words in (
        (b"#" * (1024 * 1024 + 1), 2, "too large"),
        (b"a = '\xff'", 2, "not UTF-8"),
        (b"a = ", 2, "toml_syntax"),
    ):
        file = tmp_path / "bad.toml"
        file.write_bytes(content)
        result = served.run("config", "apply", str(file))
        assert (result.exit_code, words in result.stderr) == (code, True), words
    assert served.run("config", "apply", str(tmp_path / "missing.toml")).exit_code == 2
    assert served.process.control.calls == []


def test_the_configuration_is_shown(served: Served) -> None:
    """As TOML, or as an object that holds it."""
    text = served.run("config", "show").stdout
    assert text == '[agent]\nmode = "direct"\n'
    assert json.loads(served.run("config", "show", "--json").stdout)["toml"] == text

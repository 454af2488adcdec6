"""What all commands share."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance import VERSION
from appliance.command.client import Turned
from appliance.command.root import exit_code, hookport
from appliance.options import RunOptions
from touchpoints.problem import Problem, ProblemError


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        yield (*path, name)


@pytest.mark.parametrize("path", list(commands(hookport)), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    """--help works everywhere, and shows how the command is used."""
    result = CliRunner().invoke(hookport, [*path, "--help"], prog_name="hookport")
    assert result.exit_code == 0
    assert "Example:\n    hookport " in result.stdout


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--data-dir", "d"], RunOptions(data_dir=Path("d"))),
        (["run", "--data-dir", "d"], RunOptions(data_dir=Path("d"))),
        ([], RunOptions(data_dir=Path("from-environment"))),
        (
            ["--admin", "127.0.0.1:9", "--config", "c.toml", "--no-browser", "--data-dir", "d"],
            RunOptions(data_dir=Path("d"), admin="127.0.0.1:9", config=Path("c.toml"), no_browser=True),
        ),
    ],
)
def test_run_is_the_default(args: list[str], wanted: RunOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a command's name, the agent runs with the options given; its exit code is the command's."""
    asked: list[RunOptions] = []

    def run(options: RunOptions) -> int:
        asked.append(options)
        return 3

    monkeypatch.setattr("appliance.process.run", run)
    result = CliRunner().invoke(hookport, args, env={"HOOKPORT_DATA_DIR": "from-environment"})
    assert result.exit_code == 3
    assert asked == [wanted]


@pytest.mark.parametrize(
    "args", [["nonsense"], ["events", "explode"], ["--nonsense"], ["export", "deliveries", "--format", "pdf"]]
)
def test_wrong_use_exits_2(args: list[str]) -> None:
    """With a usage message on stderr."""
    result = CliRunner().invoke(hookport, args)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_exit_codes() -> None:
    """2 for a refused configuration, 3 for a folder somebody holds, 1 for all else."""
    other, held = Problem("x", "", ""), Problem("already_running", "", "")
    assert exit_code(Turned(422, other)) == 2
    assert exit_code(Turned(404, other)) == 1
    assert exit_code(ProblemError(other)) == 1
    assert exit_code(ProblemError(held)) == 3


def test_the_version_is_told_without_loading_the_rest() -> None:
    """As the console script runs it, `--version` imports no web framework, server, HTTP client or log."""
    code = (
        "import sys; from appliance.command import main\n"
        "heavy = {'litestar', 'httpx', 'aiohttp', 'uvicorn', 'structlog', 'xlsxwriter'}\n"
        "try: main()\n"
        "finally: sys.exit(9 if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, f"hookport {VERSION}\n")


def test_paths_and_version(tmp_path: Path) -> None:
    """Both work without a data folder."""
    paths = CliRunner().invoke(hookport, ["paths", "--json", "--data-dir", str(tmp_path / "new")])
    assert str(tmp_path / "new") in paths.stdout.replace("\\\\", "\\")
    assert not (tmp_path / "new").exists()
    assert CliRunner().invoke(hookport, ["version"]).stdout == f"hookport {VERSION}\n"

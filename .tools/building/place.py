"""Where things stand in the working tree, and how build.py speaks."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
LOCKS = ROOT / ".requirements"
NPM = ROOT / "tests" / "npm"
PAGE_NPM = ROOT / "web" / "page" / "npm"
VENDOR = ROOT / "web" / "page" / "static" / "vendor"
VENV = ROOT / ".venv"
_SCRIPTS = VENV / ("Scripts" if sys.platform == "win32" else "bin")
_SUFFIX = ".exe" if sys.platform == "win32" else ""


class BuildError(Exception):
    """A step failed; the text says what to do."""


def program(name: str) -> str:
    """A program of the environment, e.g. python, hookport, ruff."""
    return str(_SCRIPTS / (name + _SUFFIX))


def say(text: str) -> None:
    """One line to the person, on stderr: stdout belongs to the program that is run."""
    print(text, file=sys.stderr, flush=True)


def quiet(command: Sequence[str], *, mend: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Run a command and give its output; show it only when the command fails. Raises BuildError with `mend`."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        raise BuildError(f"{command[0]} could not be started ({error}). {mend}") from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        say(output.rstrip())
        raise BuildError(f"{Path(command[0]).name} ended with code {done.returncode}. {mend}")
    return output

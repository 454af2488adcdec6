"""build.py's command line."""

import hashlib
import os
import shutil
import subprocess
import sys

from building.assets import fill_vendor
from building.check import fix, lint
from building.environment import NETWORK, prepare
from building.exe import exe
from building.lock import lock
from building.place import NPM, ROOT, BuildError, program, quiet, say
from building.system import BENCH_PROGRAMS, TEST_PROGRAMS, need

USAGE = """\
python3 build.py COMMAND

  run [ARGUMENTS]    prepare everything and start Hookport; the arguments are those of `hookport run`
  test [ARGUMENTS]   lint, then all tests; with arguments only pytest, with those arguments
  lint               ruff, mypy, import-linter, and that no file names a registry or this machine
  fix                format the code, and mend what ruff can mend
  bench [NAMES]      measure the speed; --json for figures a program reads
  exe [OPTIONS]      make the executables under dist, each with its self-test passed; --help tells the options
  verify [NAMES]     the long checks: executables, Windows under wine, a million rows, mutations; --json for a program
  chaos [NAMES]      faults of whole programs for longer; --short, --json for a program
  lock [--upgrade]   write the lock files anew from pyproject.toml and the two npm/package.json

Needs Python 3.11 to 3.14 with venv, and Git; everything else is put into .venv and .cache in this folder."""

_ALL = ("--numprocesses=auto", "--dist=worksteal")  # every test, on every core


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name in {"", "help", "-h", "--help"}:
        print(USAGE)
        return 0
    if name not in COMMANDS:
        say(f"build.py has no command {name!r}.\n\n{USAGE}")
        return 2
    try:
        return COMMANDS[name](rest)
    except BuildError as error:
        say(f"build.py: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    prepare("run")
    fill_vendor()
    return _become([program("hookport"), "run", *arguments])


def _test(arguments: list[str]) -> int:
    prepare("dev")
    need(TEST_PROGRAMS)
    _npm()
    fill_vendor()
    clean = True if arguments else lint()
    tests = subprocess.run([program("python"), "-m", "pytest", *(arguments or _ALL)], cwd=ROOT, check=False).returncode
    if not clean:
        say("build.py: the tests ran, but the checks before them failed: see above.")
    return tests or int(not clean)


def _lint(_arguments: list[str]) -> int:
    prepare("dev")
    return int(not lint())


def _fix(_arguments: list[str]) -> int:
    prepare("dev")
    return int(not fix())


def _bench(arguments: list[str]) -> int:
    prepare("dev")
    fill_vendor()
    try:
        need(BENCH_PROGRAMS)
    except BuildError as error:
        say(f"build.py: {error} What doesn't need them is measured all the same.")
    return _module("tests.bench", arguments)


def _verify(arguments: list[str]) -> int:
    prepare("dev")
    fill_vendor()
    return _module("tests.verify", arguments)


def _chaos(arguments: list[str]) -> int:
    prepare("dev")
    fill_vendor()
    return _module("tests.chaos", arguments)


def _module(name: str, arguments: list[str]) -> int:
    """A module of the tests that sees this package too."""
    env = os.environ | {"PYTHONPATH": str(ROOT / ".tools")}
    return subprocess.run([program("python"), "-m", name, *arguments], cwd=ROOT, env=env, check=False).returncode


def _lock(arguments: list[str]) -> int:
    prepare("dev")
    need({"npm": "npm"})
    lock(arguments)
    return 0


def _npm() -> None:
    """The official senders' JavaScript libraries, in tests/npm/node_modules."""
    stamp = NPM / "node_modules" / ".hookport.stamp"
    wanted = hashlib.sha256((NPM / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    say("· npm packages from tests/npm/package-lock.json")
    quiet([shutil.which("npm") or "npm", "ci"], cwd=NPM, mend=NETWORK)
    stamp.write_text(wanted, encoding="utf-8")


def _become(command: list[str]) -> int:
    """Let the program take over, so that signals and exit code are its own. Windows can't replace a process: there we wait."""
    if sys.platform != "win32":
        os.execv(command[0], command)
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # Ctrl+C reached the child too; it drains, we wait
            continue


COMMANDS = {
    "run": _run,
    "test": _test,
    "lint": _lint,
    "fix": _fix,
    "bench": _bench,
    "exe": exe,
    "verify": _verify,
    "chaos": _chaos,
    "lock": _lock,
}

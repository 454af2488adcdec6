"""`python -m tests.verify [names...] [--json]`: the long checks, one after the other; exits 1 when one failed."""

import argparse
import importlib
import json
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from building.place import BuildError

from tests.bench.children import BenchError
from tests.bench.figures import Report
from tests.verify.case import FailedError, LeftOutError

# Each is a function `case() -> Report`: its figures and notes. It raises FailedError for what is wrong, and LeftOutError for
# what cannot be had here, both in words. Imported when its turn comes.
CASES = {
    "linux": "tests.verify.executables:linux",
    "same": "tests.verify.executables:same",
    "launcher": "tests.verify.launcher:launcher",
    "windows": "tests.verify.executables:windows",
    "wine": "tests.verify.wine:wine",
    "wine-proxy": "tests.verify.wine_proxy:wine_proxy",
    "figures": "tests.verify.executables:figures",
    "million": "tests.verify.million:million",
    "mutations": "tests.verify.mutations:mutations",
    "growth": "tests.verify.growth:growth",
}
APART = {"growth"}  # takes longer than all others together


def main(arguments: list[str]) -> int:
    """The exit code: 0 when nothing failed. What was left out is told with its reason."""
    parser = argparse.ArgumentParser(prog="build.py verify", description="The long checks.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(CASES)}; all but growth when none is named")
    parser.add_argument(
        "--json", action="store_true", help="one object on stdout: {ok, cases: {name: {state, why, seconds, …}}}"
    )
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in CASES]:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
    signal.signal(signal.SIGTERM, _stop)
    found = {name: _held(name) for name in given.names or [name for name in CASES if name not in APART]}
    failed = [name for name, one in found.items() if one["state"] == "failed"]
    if given.json:
        print(json.dumps({"ok": not failed, "cases": found}, indent=2))
    else:
        passed = sum(one["state"] == "passed" for one in found.values())
        print(f"\n{passed} passed, {len(failed)} failed, {len(found) - passed - len(failed)} skipped")
    return int(bool(failed))


def _held(name: str) -> dict[str, Any]:
    """Hold one case, and say what came of it on stderr."""
    print(f"· {name} …", file=sys.stderr, flush=True)
    start, state, why, report = time.monotonic(), "passed", "", Report()
    try:
        report = case(name)()
        missed = [
            f"{label}: {figure.value:.2f} {figure.unit}" for label, figure in report.figures.items() if figure.met is False
        ]
        if missed:
            state, why = "failed", "missed: " + "; ".join(missed)
    except LeftOutError as error:
        state, why = "skipped", str(error)
    except (FailedError, BenchError, BuildError) as error:
        state, why = "failed", str(error)
    seconds = time.monotonic() - start
    print(f"{report.as_text('')}\n  {name}: {state} ({seconds:.0f} s) {why}".strip("\n"), file=sys.stderr, flush=True)
    return {"state": state, "why": why, "seconds": round(seconds, 1), **report.as_json()}


def case(name: str) -> Callable[[], Report]:
    """A case by its name."""
    module, _, function = CASES[name].partition(":")
    found: Callable[[], Report] = getattr(importlib.import_module(module), function)
    return found


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)  # so that every child is ended on the way out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

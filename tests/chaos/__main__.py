"""`python -m tests.chaos [names...] [--short] [--json]`: faults of whole programs; exits 1 when anything was wrong."""

import argparse
import asyncio
import json
import logging
import multiprocessing
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from tests.chaos.cases import CASES, Case, held
from tests.chaos.found import Found
from tests.chaos.kept import keep
from tests.verify.case import LeftOutError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case that was held."""

    name: str
    seconds: float
    found: Found
    why: str = ""  # it broke off, or could not be held here
    left_out: bool = False

    @property
    def good(self) -> bool:
        return self.left_out or (self.found.good and not self.why)

    def as_json(self) -> dict[str, Any]:
        found = self.found
        figures = {
            "tried": found.tried,
            "lost": found.lost,
            "repeated": found.repeated,
            "stuck": found.stuck,
            "admitted": found.admitted,
        }
        told = {"name": self.name, "seconds": round(self.seconds, 1), **figures, "notes": found.notes}
        return {**told, **({"why": self.why} if self.why else {})}


def main(arguments: list[str]) -> int:
    """The exit code: 0 when nothing was lost, stuck or admitted, and no case broke off."""
    parser = argparse.ArgumentParser(prog="build.py chaos", description="Faults of whole programs.")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(CASES))
    parser.add_argument("--short", action="store_true", help="as the test suite holds them: a few minutes")
    parser.add_argument(
        "--json",
        action="store_true",
        help="one object on stdout: {commit, short, cases: [{name, seconds, tried, lost, repeated, stuck, admitted, notes}]}",
    )
    parser.add_argument("--write", action="store_true", help="keep what was found in docs/chaos.json, for the documents")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in CASES]:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
    signal.signal(signal.SIGTERM, _stop)
    logging.disable()  # what programs say of faults that are made
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    commit = _commit()  # before: a long run should not be told of another's work
    run: dict[str, Any] = {"commit": commit, "short": given.short}
    outcomes = []
    for name in given.names or CASES:
        outcomes.append(_outcome(name, CASES[name], short=given.short))
        if given.write:  # at once: the cases after it may take hours
            keep({**run, "cases": [outcomes[-1].as_json()]}, order=list(CASES))
    if given.json:
        print(json.dumps({**run, "cases": [one.as_json() for one in outcomes]}, indent=2))
    else:
        print(_table(outcomes))
    return int(not all(one.good for one in outcomes))


def _outcome(name: str, case: Case, *, short: bool) -> Outcome:
    print(f"· {name} …", file=sys.stderr, flush=True)
    began, found, why, left_out = time.monotonic(), Found(), "", False
    with tempfile.TemporaryDirectory(prefix="hookport-chaos-") as folder:
        try:
            found = asyncio.run(held(case, Path(folder), short=short))
        except LeftOutError as error:
            why, left_out = str(error), True
        except Exception as error:  # the other cases are held all the same
            why = f"{type(error).__name__}: {error}"
    outcome = Outcome(name, time.monotonic() - began, found, why, left_out)
    words = "; ".join([*found.notes, *([why] if why else [])])
    print(f"  {'left out' if left_out else 'good' if outcome.good else 'WRONG'} {words}", file=sys.stderr, flush=True)
    return outcome


def _table(outcomes: list[Outcome]) -> str:
    lines = [
        "| Case | Seconds | Tried | Lost | Repeated | Stuck | Admitted |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in outcomes:
        found = one.found
        figures = (found.tried, found.lost, found.repeated, found.stuck, found.admitted)
        broken = ["left out" if one.left_out else "broke off"] + [""] * 4
        said = broken if one.why else [f"{figure:,}" for figure in figures]
        lines.append(f"| {one.name} | {one.seconds:.0f} | {' | '.join(said)} |")
    return "\n".join(lines)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    for child in multiprocessing.active_children():  # whom a pool would wait for
        child.terminate()
    raise SystemExit(143)  # so that every child is ended on the way out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.bench [names...] [--json] [--short]`: measures, and says what was promised."""

import argparse
import importlib
import json
import signal
import sys
from collections.abc import Callable
from types import FrameType

from tests.bench.children import BenchError
from tests.bench.figures import Report

# Imported when asked for: one that cannot be loaded keeps no other from running.
BENCHMARKS = {
    "ingest": "tests.bench.ingest:ingest",
    "endtoend": "tests.bench.end_to_end:end_to_end",
    "latency": "tests.bench.latency:latency",
    "growth": "tests.bench.growth:growth",
    "verification": "tests.bench.verification:verification",
    "store": "tests.bench.hops:hops",
    "queue": "tests.bench.queue:queue",
    "proxy": "tests.bench.proxy:proxy",
    "page": "tests.bench.page:page",
    "exe": "tests.bench.exe:exe",
    "live": "tests.bench.live:live",
    "lists": "tests.bench.lists:lists",
    "attack": "tests.bench.attack:attack",
}
APART = {"exe"}  # needs what `build.py exe` makes


def main(arguments: list[str]) -> int:
    """The exit code: 0 when everything asked for was measured, met or not."""
    parser = argparse.ArgumentParser(prog="build.py bench", description="Measures Hookport beside its peers, in turns.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(BENCHMARKS)}; all but exe when none is named")
    parser.add_argument("--json", action="store_true", help="figures for a program, as one object on stdout")
    parser.add_argument("--short", action="store_true", help="a tenth of the load, to see whether it runs at all")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, _stop)
    found: dict[str, Report] = {}
    failed = False
    for name in given.names or [name for name in BENCHMARKS if name not in APART]:
        print(f"· {name} …", file=sys.stderr, flush=True)
        try:
            found[name] = benchmark(name)(short=given.short)
        except BenchError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        if not given.json:
            print(found[name].as_text(name), flush=True)
    if given.json:
        print(json.dumps({name: report.as_json() for name, report in found.items()}, indent=2))
    return int(failed)


def benchmark(name: str) -> Callable[..., Report]:
    """A benchmark by its name; called with `short`."""
    module, _, function = BENCHMARKS[name].partition(":")
    found: Callable[..., Report] = getattr(importlib.import_module(module), function)
    return found


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)  # so that every child is ended on the way out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

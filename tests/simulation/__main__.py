"""`python -m tests.simulation SEED [SEED…]` or `--seeds N [--from M]`: plays seeds; says what befell those that went wrong."""

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import structlog

from tests.simulation.world import Verdict, play


def quiet() -> None:
    """Programs say a lot about faults that are made."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def played(folder: Path, seeds: Iterable[int]) -> Iterable[Verdict]:
    """What comes of each seed, over copies of one pairing."""
    template = folder / "template"
    play(template, 0, None)
    for seed in seeds:
        place = folder / f"seed-{seed}"
        verdict = play(place, seed, template)
        assert verdict is not None
        shutil.rmtree(place)
        yield verdict


def main(arguments: list[str]) -> int:
    """The exit code: 0 when every seed held."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("given", nargs="*", type=int, metavar="SEED")
    parser.add_argument("--seeds", type=int, default=0, help="play so many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--log", action="store_true", help="let the programs speak")
    options = parser.parse_args(arguments)
    if not options.log:
        quiet()
    seeds = options.given or range(options.first, options.first + (options.seeds or 200))
    bad = 0
    with tempfile.TemporaryDirectory(prefix="hookport-simulation-") as folder:
        for verdict in played(Path(folder), seeds):
            if not verdict.good or options.given:
                print(verdict)
            bad += not verdict.good
    print(f"{len(seeds)} seeds, {bad} went wrong")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.attack.guided_child [MODULE]:NAME SECONDS [flags of libFuzzer] FOLDER`: breeds inputs by what they reach."""

import importlib
import logging
import sys
import time

import atheris

OURS = ["touchpoints", "store", "web"]  # of whose code the fuzzer sees which parts an input reaches


def main() -> None:
    """Never returns: the exit code is libFuzzer's. Of the seconds, one at least is for the fuzzing itself."""
    began = time.monotonic()
    logging.disable()
    place, _, name = sys.argv[1].rpartition(":")
    with atheris.instrument_imports(include=["tests"] if place else OURS):
        found = importlib.import_module(place or "tests.attack.targets").target(name)
    seconds = max(1, int(began + float(sys.argv[2]) - time.monotonic()))
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *sys.argv[3:]], found.take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

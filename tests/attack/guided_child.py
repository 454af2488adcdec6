"""`python -m tests.attack.guided_child [MODULE]:NAME [flags of libFuzzer] FOLDER`: inputs are bred by what they reach."""

import importlib
import logging
import sys

import atheris

OURS = ["touchpoints", "store", "web"]  # of whose code the fuzzer sees which parts an input reaches


def main() -> None:
    """Never returns: the exit code is libFuzzer's."""
    logging.disable()
    place, _, name = sys.argv[1].rpartition(":")
    with atheris.instrument_imports(include=["tests"] if place else OURS):
        found = importlib.import_module(place or "tests.attack.targets").target(name)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], found.take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Standard streams on Windows, where a process that was started without a console has none at all."""

import os
import sys


def open_missing_streams() -> None:
    """Give the process streams that lead nowhere in place of those that it lacks, so that speaking is no failure."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - no path; lives as long as we do

#!/usr/bin/env python3
"""Prepares everything Hookport needs and runs, tests or measures it: `python3 build.py run`, `python3 build.py test`.

Needs only Python 3.11 to 3.14 with venv, and Git. This file itself runs on Python 3.6 too, so that an old one is told what
to do; the work is done in .tools/building.
"""

import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = 11, 14


def fits(major: int, minor: int) -> bool:
    """Whether Hookport runs on this Python."""
    return major == 3 and OLDEST <= minor <= NEWEST


def fitting_python() -> str:
    """The newest Python on PATH that Hookport runs on, or empty."""
    for minor in range(NEWEST, OLDEST - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return found
    return ""


def main() -> int:
    """Hand over to .tools/building, on another Python where this one doesn't fit."""
    here = Path(__file__).resolve()
    if fits(*sys.version_info[:2]):
        sys.path.insert(0, str(here.parent / ".tools"))
        from building.command import main as build

        return build(sys.argv[1:])
    other = fitting_python()
    if other:
        try:
            return subprocess.call([other, str(here), *sys.argv[1:]])
        except KeyboardInterrupt:
            return 130
    sys.stderr.write(
        f"Hookport needs Python 3.{OLDEST} to 3.{NEWEST}, and this is {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install one of them (Debian and Ubuntu: apt-get install python3 python3-venv; Windows and macOS: the installer\n"
        f"from python.org) and run the same command with it, for example: python3.{NEWEST - 1} build.py run\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())

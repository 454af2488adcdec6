"""Programs of the system that tests and benchmarks need: installed where we may, otherwise named with the command."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from building.place import BuildError, quiet, say

# By program, Debian's package. tinyproxy-bin is the program without the service that the package tinyproxy would start.
TEST_PROGRAMS = {
    "chromium": "chromium",
    "curl": "curl",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "tinyproxy": "tinyproxy-bin",
}
BENCH_PROGRAMS = {"wrk": "wrk", "webhook": "webhook"}


def can_install() -> bool:
    """Whether Debian's packages can be installed: apt-get is there and we are root."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install packages of Debian or Ubuntu. Raises BuildError."""
    say(f"· system packages: {', '.join(packages)}")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    mend = f"Install them by hand: apt-get install {' '.join(packages)}"
    quiet(["apt-get", "update", "--quiet"], mend=mend, env=env)
    quiet(command, mend=mend, env=env)


def missing(programs: Mapping[str, str]) -> dict[str, str]:
    """Which of the programs aren't on PATH; where a system has no package of one, its tests are left out."""
    apart = {"win32": ("chromium", "tinyproxy"), "darwin": ("chromium",)}.get(sys.platform, ())
    return {name: package for name, package in programs.items() if shutil.which(name) is None and name not in apart}


def need(programs: Mapping[str, str]) -> None:
    """Have every program, installing Debian's packages where we may. Raises BuildError with the command where we may not."""
    lacking = missing(programs)
    if not lacking:
        return
    if can_install():
        install(sorted(lacking.values()))
        lacking = missing(programs)
    if lacking:
        raise BuildError(
            f"Not on PATH: {', '.join(sorted(lacking))}. {_command(sorted(lacking.values()))}; then run the same again."
        )


def _command(packages: Sequence[str]) -> str:
    names = " ".join(packages)
    if sys.platform == "darwin":
        return f"Install with: brew install {names.replace('nodejs', 'node').replace(' npm', '').replace('-bin', '')}"
    if sys.platform == "win32":
        return "Install Node.js with: winget install OpenJS.NodeJS.LTS"
    return f"Install with: sudo apt-get install {names} (or your system's own command)"

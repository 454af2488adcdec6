"""What the page takes from others, in web/page/static/vendor: fetched by npm from its lock file, and copied."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from building.environment import NETWORK
from building.place import CACHE, LOCKS, PAGE_NPM, ROOT, VENDOR, program, quiet, say

# By name in vendor/, where it stands under node_modules.
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "modern-normalize.css": "modern-normalize/modern-normalize.css",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}
_INPUTS = ("package.json", "package-lock.json", ".npmrc")


def fill_vendor(*, licences: bool = False) -> None:
    """Have the page's files; with `licences` also the packages they came from, whole. Raises BuildError."""
    wanted = _wanted()
    stamp = VENDOR / ".stamp"
    whole = not licences or (CACHE / "page-npm" / "node_modules").is_dir()
    known = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted
    if whole and known and all((VENDOR / name).is_file() for name in FILES):
        return
    say("· the page's files from web/page/npm/package-lock.json")
    place = CACHE / "page-npm"
    place.mkdir(parents=True, exist_ok=True)
    for name in _INPUTS:
        shutil.copyfile(PAGE_NPM / name, place / name)
    command, env = _npm()
    quiet([*command, "ci"], cwd=place, env=env, mend=NETWORK)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(place / "node_modules" / source, VENDOR / name)
    stamp.write_text(wanted, encoding="utf-8")


def _wanted() -> str:
    digest = hashlib.sha256(repr(sorted(FILES.items())).encode())
    for name in _INPUTS:
        digest.update((PAGE_NPM / name).read_bytes())
    return digest.hexdigest()


def _npm() -> tuple[Sequence[str], dict[str, str] | None]:
    """npm as it is on PATH; else the one in PyPI's wheel of Node.js, put into .venv."""
    found = shutil.which("npm")
    if found and _works([found, "--version"]):
        return [found], None
    scripts = Path(program("npm")).parent
    if not _works([program("npm"), "--version"]):
        say("· Node.js from .requirements/node.txt")
        pip = [program("python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        quiet([*pip, "--require-hashes", "--requirement", str(LOCKS / "node.txt")], cwd=ROOT, mend=NETWORK)
    # npm starts node by its name.
    return [program("npm")], os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False

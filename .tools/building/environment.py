"""The Python environment in .venv: made once, filled from the hash-locked files, redone only when those change."""

import hashlib
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

from building.place import LOCKS, ROOT, VENV, BuildError, program, quiet, say
from building.system import can_install, install

NETWORK = (
    "Is the network (or its proxy) reachable, and is there room on the disk? The words above say more; then run the same again."
)


def prepare(kind: str) -> None:
    """Make .venv hold what .requirements/<kind>.txt names, and Hookport itself. `kind` is run, or dev, which holds run."""
    if kind == "run" and _holds("dev"):
        return
    if _holds(kind):
        return
    started = time.monotonic()
    if not _usable():
        _make()
    say(f"· Python packages from .requirements/{kind}.txt")
    pip = [program("python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    quiet([*pip, "--require-hashes", "--requirement", str(LOCKS / f"{kind}.txt")], mend=NETWORK)
    quiet(
        [*pip, "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(ROOT)],
        mend="Hookport itself could not be installed: see the words above.",
    )
    _stamp(kind).write_text(_wanted(kind), encoding="utf-8")
    say(f"· .venv is ready ({time.monotonic() - started:.0f} s)")


def _stamp(kind: str) -> Path:
    return VENV / f"{kind}.stamp"


def _wanted(kind: str) -> str:
    """What a finished environment is known by: its place, its Python, what was to be installed."""
    digest = hashlib.sha256()
    for file in (LOCKS / f"{kind}.txt", ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    return f"{_made_by()}\n{digest.hexdigest()}\n"


def _made_by() -> str:
    return f"{VENV}\n{sys.version_info.major}.{sys.version_info.minor}"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _holds(kind: str) -> bool:
    return _read(_stamp(kind)) == _wanted(kind) and Path(program("hookport")).exists() and Path(program("python")).exists()


def _usable() -> bool:
    """Whether .venv stands where it was made, on this Python, and starts: a copied tree or an upgraded Python breaks it."""
    if _read(VENV / "made.stamp") != _made_by():
        return False
    try:
        return subprocess.run([program("python"), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make() -> None:
    if VENV.is_symlink():
        raise BuildError(f"{VENV} is a link; what it leads to is somebody else's. Remove the link and run the same again.")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        _install_venv()
    say(f"· .venv for Python {sys.version_info.major}.{sys.version_info.minor}")
    quiet(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        mend="Stop every Hookport that runs from this folder, remove .venv and run the same again.",
    )
    (VENV / "made.stamp").write_text(_made_by(), encoding="utf-8")


def _install_venv() -> None:
    """Debian and Ubuntu ship Python without venv's other half."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not can_install():
        raise BuildError(
            f"This Python lacks venv. On Debian and Ubuntu: sudo apt-get install {package}; then run the same again."
        )
    install([package])

"""The Python that executables are made with: the newest that fits and has all it takes, in an environment of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from building.environment import NETWORK
from building.place import CACHE, LOCKS, BuildError, quiet, say
from building.system import can_install, install

OLDEST, NEWEST = 11, 14
PLACE = CACHE / "exe"

# Told by each candidate about itself. PyInstaller needs Python as a shared library, which Debian packs apart.
_PROBE = """
import importlib.util, json, os, sys, sysconfig
v, name = sysconfig.get_config_var, sysconfig.get_config_var("INSTSONAME") or ""
places = [v("LIBDIR"), os.path.join(v("LIBDIR") or "", v("MULTIARCH") or ""), v("LIBPL"), os.path.join(sys.base_prefix, "lib")]
shared = sys.platform != "linux" or any(place and os.path.exists(os.path.join(place, name)) for place in places if name)
meant = sys.platform != "linux" or bool(v("Py_ENABLE_SHARED"))
print(json.dumps({
    "version": list(sys.version_info[:3]), "path": os.path.realpath(sys._base_executable), "shared": meant and shared,
    "split": meant and not shared, "venv": all(importlib.util.find_spec(one) for one in ("venv", "ensurepip")),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A Python on this machine."""

    path: str
    version: tuple[int, int, int]
    shared: bool  # its shared library is there
    split: bool  # it would have one, in a package that isn't installed
    venv: bool

    @property
    def fits(self) -> bool:
        """Whether it can build now."""
        return self.shared and self.venv

    @property
    def packages(self) -> list[str]:
        """Debian's packages of what it lacks; none when it can build, or never could."""
        name = f"python{self.version[0]}.{self.version[1]}"
        lacking = [f"lib{name}"] if self.split else []
        return [*lacking, f"{name}-venv"] if not self.venv and (self.shared or self.split) else lacking


def build_python(wanted: str = "") -> Candidate:
    """The one named, else the newest that fits; lacking packages are installed where we may. Raises BuildError in words."""
    found = [look(wanted)] if wanted else candidates()
    known = [one for one in found if one is not None]
    for one in known:
        if one.fits:
            return one
        if one.packages and can_install():
            install(one.packages)
            again = look(one.path)
            if again is not None and again.fits:
                return again
    packages = next((one.packages for one in known if one.packages), ["libpython3-dev", "python3-venv"])
    raise BuildError(
        f"No Python 3.{OLDEST} to 3.{NEWEST} here has venv and a shared library, which an executable is made from. "
        f"On Debian and Ubuntu: sudo apt-get install {' '.join(packages)}; "
        "with pyenv: env PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.13; then run the same again."
    )


def candidates() -> list[Candidate]:
    """Every Python on PATH that Hookport runs on, and the one that runs this, newest first."""
    names = [f"python3.{minor}" for minor in range(NEWEST, OLDEST - 1, -1)]
    paths = {shutil.which(name, path=folder) for name in names for folder in os.get_exec_path()} | {sys.executable}
    found = {one.path: one for path in sorted(filter(None, paths)) if (one := look(path)) is not None}
    return sorted(found.values(), key=lambda one: (one.fits, one.version, one.path), reverse=True)


def look(path: str) -> Candidate | None:
    """What a Python tells of itself; None when it doesn't start or doesn't fit."""
    try:
        done = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=60)
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    version = tuple(told["version"])
    if not (version[0] == 3 and OLDEST <= version[1] <= NEWEST):
        return None
    return Candidate(path=told["path"], version=version, shared=told["shared"], split=told["split"], venv=told["venv"])


def environment(python: Candidate) -> str:
    """The Python of an environment that holds what .requirements/exe.txt names; made when it isn't there. Raises BuildError."""
    folder = PLACE / f"python-{'.'.join(map(str, python.version[:2]))}"
    inside = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "hookport.stamp"
    wanted = f"{folder}\n{python.path} {python.version}\n{hashlib.sha256((LOCKS / 'exe.txt').read_bytes()).hexdigest()}\n"
    if inside.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return str(inside)
    say(f"· Python {'.'.join(map(str, python.version))} and packages from .requirements/exe.txt")
    quiet([python.path, "-m", "venv", "--clear", str(folder)], mend="See the words above.")
    install_locked([str(inside), "-m", "pip"])
    stamp.write_text(wanted, encoding="utf-8")
    return str(inside)


def install_locked(pip: Sequence[str]) -> None:
    """Let a pip install what .requirements/exe.txt names. Raises BuildError."""
    options = ["--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-compile", "--require-hashes"]
    quiet([*pip, *options, "--requirement", str(LOCKS / "exe.txt")], mend=NETWORK)

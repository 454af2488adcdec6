"""`build.py exe`: the executables, with sums, bill of materials and licences; none that fails its self-test."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from building.assets import fill_vendor
from building.contents import licence_page, read_contents
from building.environment import prepare
from building.exe_python import PLACE, build_python, environment
from building.place import ROOT, BuildError, quiet, say
from building.sbom import sbom, write_sums
from building.system import need

DIST = ROOT / "dist"
SPEC = ROOT / ".tools" / "packaging" / "hookport.spec"
KINDS = ("onefile", "folder")
OWN_TARGET = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
_ENDING = {"windows": ".exe"}
_PROGRAMS = {"objcopy": "binutils", "strip": "binutils"} if sys.platform == "linux" else {}


def exe(arguments: list[str]) -> int:
    """The command; its exit code. Raises BuildError."""
    parser = argparse.ArgumentParser(prog="build.py exe", description="Makes the executables, under dist.")
    parser.add_argument("--target", choices=sorted({OWN_TARGET, "windows"}), default=OWN_TARGET, help="this system, or Windows")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--onefile-only", action="store_const", const=("onefile",), dest="kinds", help="no folder build")
    only.add_argument("--folder-only", action="store_const", const=("folder",), dest="kinds", help="no one-file build")
    only.add_argument("--sums-only", action="store_true", help="write SHA256SUMS and sbom.json anew, after signing")
    parser.add_argument("--python", default="", help="the Python to make it with, instead of the newest that fits")
    given = parser.parse_args(arguments)
    if given.sums_only:
        finish(DIST)
        return 0
    made = build(given.target, given.kinds or KINDS, python=given.python)
    for file in made:
        say(f"· {file.relative_to(ROOT)}")
    return 0


def build(target: str, kinds: Sequence[str] = KINDS, *, python: str = "", dist: Path = DIST) -> list[Path]:
    """Make a target's executables, put them in place once their self-test has passed; their paths. Raises BuildError."""
    prepare("run")
    fill_vendor(licences=True)
    if target == OWN_TARGET:
        build_here(kinds, PLACE / target, python=python)
    else:
        from building.windows import build_windows

        build_windows(kinds, PLACE / target / "made")
    runner = own_runner if target == OWN_TARGET else _wine_runner()
    for kind in kinds:
        prove(executable(PLACE / target / "made", kind, target), runner)
    made = [_put_in_place(PLACE / target / "made", dist / target, kind, target) for kind in kinds]
    finish(dist)
    return made


def build_here(kinds: Sequence[str], folder: Path, *, python: str = "") -> None:
    """PyInstaller on this system, into the folder's `made`. Raises BuildError."""
    need(_PROGRAMS)
    inside = environment(build_python(python))
    say(f"· PyInstaller: {' and '.join(kinds)}")
    shutil.rmtree(folder, ignore_errors=True)
    quiet(recipe([inside], kinds, folder), env=os.environ | build_settings(), mend="See the words above.")


def recipe(python: Sequence[str], kinds: Sequence[str], folder: Path) -> list[str]:
    """The command that makes `made` in a folder, and beside it `work/hookport/contents.json`."""
    places = ["--distpath", str(folder / "made"), "--workpath", str(folder / "work")]
    return [*python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *places, str(SPEC), "--", *kinds]


def build_settings() -> dict[str, str]:
    """Variables that make the same commit the same bytes."""
    return {
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(commit_time()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }


def commit_time() -> int:
    """When the commit was made; a fixed moment where there is no Git."""
    try:
        done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return 1_700_000_000
    return int(done.stdout.strip() or 1_700_000_000)


def executable(folder: Path, kind: str, target: str) -> Path:
    """Where an executable stands in a folder of made or distributed ones."""
    name = f"hookport{_ENDING.get(target, '')}"
    return folder / name if kind == "onefile" else folder / "hookport-folder" / name


Runner = Callable[..., "subprocess.CompletedProcess[str]"]


def own_runner(program: Path, *arguments: str, seconds: float = 180.0) -> "subprocess.CompletedProcess[str]":
    """Run an executable as a customer would: outside this tree, without anything that speaks to Python."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HOOKPORT", "VIRTUAL_ENV"))}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), *arguments]
        done = subprocess.run(
            command, capture_output=True, cwd=folder, env=clean, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    told = [part.decode("utf-8", "replace") for part in (done.stdout, done.stderr)]
    return subprocess.CompletedProcess(command, done.returncode, told[0], told[1])


def _wine_runner() -> Runner:
    from building.windows import run_windows

    runner: Runner = run_windows
    return runner


def prove(program: Path, runner: Runner) -> None:
    """Let it test itself. Raises BuildError with the checks that failed: such a build reaches nobody."""
    say(f"· self-test of {program.parent.name}/{program.name}")
    done = runner(program, "selftest", "--json", seconds=300.0)
    try:
        failed = [f"{one['name']}: {one['why']}" for one in json.loads(done.stdout)["checks"] if not one["ok"]]
    except (ValueError, KeyError):
        failed = [done.stderr.strip()[-2000:] or f"it said nothing and ended with code {done.returncode}"]
    if done.returncode or failed:
        raise BuildError("the executable does not pass its own test and was not put in place:\n" + "\n".join(failed))


def _put_in_place(made: Path, place: Path, kind: str, target: str) -> Path:
    """Replace the one that was there."""
    source = executable(made, kind, target)
    source = source if kind == "onefile" else source.parent
    goal = place / source.name
    place.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(goal, ignore_errors=True)
    goal.unlink(missing_ok=True)
    if kind == "onefile":
        shutil.copy2(source, goal)
    else:
        shutil.copytree(source, goal, symlinks=True)
        _write_licences(PLACE / target, goal / "licences")
    return executable(place, kind, target)


def _write_licences(built: Path, folder: Path) -> None:
    """One text for each part."""
    folder.mkdir()
    for part in read_contents(built / "work" / "hookport"):
        name = re.sub(r"[^\w.-]+", "-", f"{part.name}-{part.version}".strip("-@"))
        (folder / f"{name}.txt").write_text(licence_page(part), encoding="utf-8")


def finish(dist: Path) -> None:
    """sbom.json and SHA256SUMS over everything that stands in dist."""
    from appliance import VERSION

    targets = [folder.name for folder in sorted(dist.iterdir()) if folder.is_dir() and _contents(folder.name).is_dir()]
    bill = sbom({target: read_contents(_contents(target)) for target in targets}, version=VERSION, epoch=commit_time())
    (dist / "sbom.json").write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8", newline="\n")
    write_sums(dist)


def _contents(target: str) -> Path:
    return PLACE / target / "work" / "hookport"

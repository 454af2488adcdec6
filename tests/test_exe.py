"""build.py exe: what goes in, what it tells about that, and that nothing untested gets out. The builds are for `verify`."""

import hashlib
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from building import bundle, contents, exe, exe_python, sbom
from building.contents import Part
from building.place import BuildError

from tests.test_build import ROOT, locked

# Names of modules, by the distributions that bring them and that stay out of an executable.
LEFT_OUT = {
    "faker",
    "litestar-htmx",
    "markdown-it-py",
    "mdurl",
    "polyfactory",
    "pycparser",
    "pygments",
    "rich",
    "rich-click",
    "tzdata",
}
ONLY_TO_BUILD = {
    "altgraph",
    "macholib",
    "packaging",
    "pefile",
    "pyinstaller",
    "pyinstaller-hooks-contrib",
    "pywin32-ctypes",
    "setuptools",
}


def test_every_data_file_of_the_packages_goes_in() -> None:
    """What Git keeps in the packages beside code, and the page's files, stands in the recipe's list under its own folder."""
    told = subprocess.run(["git", "ls-files", *bundle.PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("this tree has no Git")
    kept = {
        name
        for name in told.stdout.splitlines()
        if not name.endswith(".py") and "/npm/" not in name and (ROOT / name).is_file()
    }
    listed = {f"{folder}/{Path(file).name}" for file, folder in bundle.data_files()}
    assert kept - listed == set()
    assert {
        "web/page/static/vendor/htmx.min.js",
        "touchpoints/providers/shopify.toml",
        "web/page/templates/layout.html",
    } <= listed
    assert not [name for name in listed if "__pycache__" in name or "/npm/" in name or name.rpartition("/")[2].startswith(".")]


def test_hooks_bring_nothing_that_nobody_reads() -> None:
    """Of a distribution's own folder only what is read at run time goes in; the order is fixed."""
    names = ["x-1.dist-info/RECORD", "x-1.dist-info/licenses/LICENSE", "x-1.dist-info/METADATA", "a.so", "web/page/x.css"]
    kept = bundle.worth_shipping([(name, name, "DATA") for name in names])
    assert [entry[0] for entry in kept] == ["a.so", "web/page/x.css", "x-1.dist-info/METADATA"]


def loaded() -> list[Path]:
    """The files of every module that the program loads for its commands and its agent."""
    names = "appliance.process, appliance.alerts.mail, appliance.selftest.run, web.export.xlsx, sys, tqdm, json"
    code = f"import {names}\nprint(json.dumps("
    code += "[m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in json.loads(done.stdout)]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[Part]:
    """The parts of a build as if all that is loaded here went in, with a launcher that isn't installed here."""
    monkeypatch.setattr("building.contents.distribution", lambda _name: metadata.distribution("pytest"))
    return contents.find_parts(loaded())


def test_every_dependency_is_told_and_locked(parts: list[Part]) -> None:
    """What is loaded is told at its locked version, with a licence; what is locked is told, or left out by its name."""
    pins = locked("exe")
    # Tools of the tests that libraries use where they are there are no part: the environment of a build holds exe.txt alone.
    found = {part.name: part for part in parts if part.kind == "pypi" and part.name in pins.keys() - ONLY_TO_BUILD}
    assert {name: part.version for name, part in found.items() if pins[name] != part.version} == {}
    assert [name for name, part in found.items() if not (part.licence or part.text)] == []
    platform = {"colorama"} if sys.platform != "win32" else set()
    late = {"certifi", "cffi", "frozenlist", "h11", "httpcore", "multipart", "pyjwt", "tomli-w", "xlsxwriter", "tqdm"}
    assert pins.keys() - found.keys() - LEFT_OUT - ONLY_TO_BUILD - platform - late == set()


def test_what_no_package_tells_is_told_too(parts: list[Part]) -> None:
    """Python, SQLite, both OpenSSLs and the page's files stand in the list."""
    names = [part.name for part in parts]
    assert {"python", "sqlite", "htmx.org", "uplot", "modern-normalize"} <= set(names)
    assert names.count("openssl") == 2


def test_excluded_modules_are_needed_by_nothing() -> None:
    """The program loads without anything that executables leave out."""
    code = "import sys\nfor name in sys.argv[1:]: sys.modules[name] = None\nimport appliance.process, appliance.selftest.run, "
    code += "web.export.xlsx, appliance.command.root, tqdm"
    done = subprocess.run([sys.executable, "-c", code, *bundle.EXCLUDED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_bill_names_each_part_once_and_is_the_same_each_time() -> None:
    """A part of two targets is one component with both; nothing in it comes from clock or chance."""
    one = Part(kind="pypi", name="httpx", version="0.28.1", licence="BSD-3-Clause", text="…")
    inside = Part(kind="generic", name="openssl", version="3.5", licence="Apache-2.0, inside cryptography 50")
    other = Part(kind="generic", name="openssl", version="3.5", licence="Apache-2.0")
    made = sbom.sbom({"linux": [one, inside, other], "windows": [one]}, version="1.2.3", epoch=1_700_000_000)
    assert made == sbom.sbom({"linux": [one, inside, other], "windows": [one]}, version="1.2.3", epoch=1_700_000_000)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    refs = [component["bom-ref"] for component in made["components"]]
    assert len(set(refs)) == len(refs) == 3
    assert made["dependencies"][0]["dependsOn"] == refs
    targets = next(component["properties"] for component in made["components"] if component["name"] == "httpx")
    assert [target["value"] for target in targets] == ["linux", "windows"]
    assert (
        next(component["purl"] for component in made["components"] if component["name"] == "httpx") == "pkg:pypi/httpx@0.28.1"
    )


def test_the_sums_are_those_of_the_files(tmp_path: Path) -> None:
    """Every file has its line, in the form that sha256sum reads; written twice it is the same."""
    for name in ("linux/hookport", "linux/hookport-folder/hookport", "sbom.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    sbom.write_sums(tmp_path)
    first = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8")
    sbom.write_sums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text(encoding="utf-8") == first
    names = ["linux/hookport", "linux/hookport-folder/hookport", "sbom.json"]
    assert first == "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names)


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ('{"ok": false, "checks": [{"name": "templates", "ok": false, "why": "gone"}]}', 1, "templates: gone"),
        ('{"ok": true, "checks": []}', 1, "not put in place"),
        ("", 1, "No module named 'x'"),
        ("", 0, "ended with code 0"),
    ],
)
def test_a_build_that_fails_its_own_test_stays_where_it_is(output: str, code: int, words: str) -> None:
    """It says which check failed, and raises before anything is put in place."""
    stderr = "ModuleNotFoundError: No module named 'x'" if code and not output else ""

    def run(program: Path, *arguments: str, seconds: float) -> "subprocess.CompletedProcess[str]":
        assert arguments == ("selftest", "--json")
        assert seconds > 60
        return subprocess.CompletedProcess([str(program)], code, output, stderr)

    with pytest.raises(BuildError, match=words):
        exe.prove(Path("hookport"), run)


def test_settings_make_the_same_commit_the_same_bytes() -> None:
    """Hash seed and times are fixed; the commit's time is Git's."""
    settings = exe.build_settings()
    assert settings["PYTHONHASHSEED"] == "0"
    assert int(settings["SOURCE_DATE_EPOCH"]) == exe.commit_time() > 1_600_000_000


def test_the_newest_python_that_fits_builds() -> None:
    """One that can build comes before one that cannot, then the newer first; the one that runs this is known."""
    found = exe_python.candidates()
    assert found == sorted(found, key=lambda one: (one.fits, one.version), reverse=True)
    assert tuple(sys.version_info[:3]) in {one.version for one in found}


def test_what_a_python_lacks_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian packs the shared library and venv apart; one that was built without a shared library cannot be mended."""
    lacking = exe_python.Candidate(path="/usr/bin/python3.13", version=(3, 13, 5), shared=False, split=True, venv=False)
    static = exe_python.Candidate(path="/opt/python3.12", version=(3, 12, 1), shared=False, split=False, venv=False)
    assert lacking.packages == ["libpython3.13", "python3.13-venv"]
    assert static.packages == []
    monkeypatch.setattr(exe_python, "candidates", lambda: [lacking, static])
    monkeypatch.setattr(exe_python, "can_install", lambda: False)
    with pytest.raises(BuildError, match=r"sudo apt-get install libpython3\.13 python3\.13-venv"):
        exe_python.build_python()


def test_a_python_that_is_too_old_or_broken_is_passed_over(tmp_path: Path) -> None:
    """It is no candidate, and no failure."""
    assert exe_python.look(str(tmp_path / "no-such-python")) is None
    assert exe_python.look(sys.executable) is not None


def test_locked_names_are_those_of_pyinstaller_and_the_program() -> None:
    """exe.txt holds run.txt's versions and PyInstaller."""
    run, built = locked("run"), locked("exe")
    assert "pyinstaller" in built
    assert {name: pin for name, pin in built.items() if run.get(name, pin) != pin} == {}

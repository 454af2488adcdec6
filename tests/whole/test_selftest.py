"""`hookport selftest`: it passes here, and says what is wrong where something is."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from appliance.selftest import bundle
from appliance.selftest.report import Check, Report, must
from tests.whole.hookport import COMMAND, ROOT


def test_it_passes_from_source(tmp_path: Path) -> None:
    """Every check of it, over a real agent; nothing is left in the folder for temporary files, nor in the person's own."""
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary"), "TEMP": str(tmp_path / "temporary")}
    environment["HOOKPORT_DATA_DIR"] = str(tmp_path / "data")
    command = [*COMMAND, "selftest", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=55, check=False)
    found = json.loads(done.stdout)
    assert [one for one in found["checks"] if not one["ok"]] == []
    assert (done.returncode, found["ok"]) == (0, True)
    names = [one["name"] for one in found["checks"]]
    assert {"start", "accept a signed event", "refuse a wrong signature", "replay", "export", "page: screens", "TLS"} <= set(
        names
    )
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "data").exists()


def test_what_fails_is_told_and_the_rest_goes_on() -> None:
    """A check may fail in any way; each is told as it ends."""
    told: list[Check] = []
    report = Report(told=told.append)
    assert report.check("fine", lambda: None)
    assert not report.check("wrong", lambda: must(False, "it is not so"))
    assert not report.check("broken", lambda: dict[str, str]()["missing"])
    assert [(one.name, one.why) for one in told] == [("fine", ""), ("wrong", "it is not so"), ("broken", "KeyError: 'missing'")]
    assert report.ok is False
    assert [one["ok"] for one in report.as_json()["checks"]] == [True, False, False]
    assert Report().ok is False, "nothing looked at is nothing proven"


def test_a_build_without_a_file_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A static file, a template or a catalogue that a build lost is found without starting anything."""
    monkeypatch.setattr(bundle, "assets", dict)
    monkeypatch.setattr(bundle, "providers", dict)
    monkeypatch.setattr(bundle, "migrations", lambda _kind: [])
    report = Report()
    for deed in (bundle.catalogues, bundle.static_files, bundle.database_files):
        report.check(deed.__name__, deed)
    assert [bool(one.why) for one in report.checks] == [True, True, True]
    assert "vendor/htmx.min.js" in report.checks[1].why


def test_licences_are_an_executables() -> None:
    """From source there is nothing to print, and it says where licences stand."""
    done = subprocess.run([*COMMAND, "version", "--licences"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "licences_not_here" in done.stderr

"""The audit of dependencies, against a database of holes on loopback."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from building import audit, check
from building.place import LOCKS

WANTED = {"aiohttp": "3.14.5", "jinja2": "3.1.6"}


class Database:
    """Answers with `results`; keeps what it was asked."""

    def __init__(self) -> None:
        self.results: Any = [{}, {}]
        self.asked: Any = None
        database = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                database.asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                said = json.dumps({"results": database.results}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/querybatch"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_every_locked_package_is_asked_for_and_a_hole_is_named(database: Database) -> None:
    """By name and version; what is accepted is left out."""
    database.results = [{"vulns": [{"id": "GHSA-1"}, {"id": "GHSA-2"}]}, {}]
    assert list(audit.holes(WANTED, {"GHSA-2"}, database.url)) == ["aiohttp 3.14.5 has the published hole GHSA-1"]
    assert [one["package"]["name"] + one["version"] for one in database.asked["queries"]] == ["aiohttp3.14.5", "jinja23.1.6"]


@pytest.mark.parametrize("results", [[], [{}], [{}, {}, {}]])
def test_another_number_of_answers_is_none(database: Database, results: Any) -> None:
    """A package nobody spoke of is not clean."""
    database.results = results
    with pytest.raises(ValueError, match="number"):
        list(audit.holes(WANTED, (), database.url))


def test_what_is_installed_beside_the_lock_is_told() -> None:
    """In another version, or not locked at all; what every environment begins with is not."""
    found = list(audit.strangers(WANTED, {"aiohttp": "3.14.4", "jinja2": "3.1.6", "evil": "1", "pip": "25"}))
    assert found == [
        "aiohttp 3.14.4 is installed, and 3.14.5 is locked: run build.py again",
        "evil 1 is installed, and none is locked: run build.py again",
    ]


def test_where_nobody_answers_only_the_installed_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that is said."""
    monkeypatch.setattr(audit, "SERVICE", "http://127.0.0.1:1/")
    assert audit.audit() == ""
    assert "could not be asked" in "".join(capsys.readouterr())


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of lock files like ours, without an accepted hole."""
    shutil.copy(LOCKS / "dev.txt", tmp_path)
    monkeypatch.setattr(audit, "LOCKS", tmp_path)
    return tmp_path


def publish(database: Database, locks: Path, name: str, *ids: str) -> str:
    """From now on the database knows holes of a locked package; its locked version."""
    wanted = audit.locked(locks / "dev.txt")
    holes = {"vulns": [{"id": one} for one in ids]}
    database.results = [holes if one == name else {} for one in sorted(wanted)]
    return wanted[name]


def test_a_published_hole_fails_and_says_what_to_do(database: Database, locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service answers, a hole that is not accepted is a fault, on a line of its own."""
    monkeypatch.setattr(audit, "SERVICE", database.url)
    version = publish(database, locks, "aiohttp", "GHSA-1", "GHSA-2")
    told = audit.audit().splitlines()
    assert told == [f"aiohttp {version} has the published hole {one}: {audit.WAYS_OUT}" for one in ("GHSA-1", "GHSA-2")]
    assert "lock --upgrade" in told[0]
    assert "accepted-holes.toml" in told[0]


def test_an_accepted_hole_fails_nothing(database: Database, locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not accepted beside it still does; a list that says no reason, or is none, fails in words."""
    monkeypatch.setattr(audit, "SERVICE", database.url)
    publish(database, locks, "aiohttp", "GHSA-1")
    known = locks / "accepted-holes.toml"
    known.write_text('[GHSA-1]\nwhy = "We never call it."\n', encoding="utf-8")
    assert audit.audit() == ""
    publish(database, locks, "aiohttp", "GHSA-1", "GHSA-2")
    assert [line.split()[-1] for line in audit.audit().replace(f": {audit.WAYS_OUT}", "").splitlines()] == ["GHSA-2"]
    known.write_text("[GHSA-1]\n", encoding="utf-8")
    assert "does not say why of GHSA-1" in audit.audit()
    known.write_text("[GHSA-1", encoding="utf-8")
    assert "is no TOML" in audit.audit()


@pytest.mark.parametrize("results", [[], {}, None, [{"vulns": [{}]}]])
def test_an_answer_that_says_nothing_is_none(
    database: Database, locks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], results: Any
) -> None:
    """Whatever answers in its place is as if nobody did, and that is said."""
    monkeypatch.setattr(audit, "SERVICE", database.url)
    database.results = results
    assert locks
    assert audit.audit() == ""
    assert "could not be asked" in "".join(capsys.readouterr())


def test_the_check_fails_with_it(
    database: Database, locks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the audit tells is an end with a fault of the lint command, not words that pass by."""
    monkeypatch.setattr(audit, "SERVICE", database.url)
    monkeypatch.setattr(check, "_tool", lambda *_arguments: lambda: "")
    monkeypatch.setattr(check, "foreign", lambda _root: iter(()))
    publish(database, locks, "aiohttp")
    assert check.lint()
    publish(database, locks, "aiohttp", "GHSA-1")
    assert not check.lint()
    assert "dependencies: failed" in "".join(capsys.readouterr())


def test_an_accepted_hole_says_why(tmp_path: Path) -> None:
    """Else it is a mistake of ours."""
    file = tmp_path / "accepted-holes.toml"
    assert audit.accepted(file) == set()
    file.write_text('[GHSA-1]\nwhy = "We never call it."\n', encoding="utf-8")
    assert audit.accepted(file) == {"GHSA-1"}
    file.write_text("[GHSA-1]\n", encoding="utf-8")
    with pytest.raises(ValueError, match="GHSA-1"):
        audit.accepted(file)


def test_the_locked_versions_are_those_of_the_lock_file(tmp_path: Path) -> None:
    """Names as they are compared; hashes and markers are no part of the version."""
    file = tmp_path / "dev.txt"
    file.write_text("Foo_Bar==1.2 \\\n    --hash=sha256:00\nbaz==2 ; python_version < '3.12' \\\n", encoding="utf-8")
    assert audit.locked(file) == {"foo-bar": "1.2", "baz": "2"}

"""Migrations bring a file up to date, each wholly or not at all."""

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from store.sqlite import migrate as module
from store.sqlite.database import EVENTS_APPLICATION, Opener, pragma_number
from store.sqlite.migrate import migrate, migrations, schema
from touchpoints.problem import ProblemError

KINDS = ("events", "configuration", "queue", "proxy")


@pytest.fixture
def db(path: Path) -> sqlite3.Connection:
    return Opener(path=path, application_id=EVENTS_APPLICATION, writer=True)()


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_for_readers_is_the_schema(db: sqlite3.Connection, path: Path, kind: str) -> None:
    """`schema/current-<kind>.sql` equals what the migrations make; `schema(db)` is how it was written."""
    migrate(db, kind, path=path, now=7)
    shown = files("store.sqlite").joinpath("schema", f"current-{kind}.sql").read_text(encoding="utf-8")
    assert schema(db) == shown
    db.close()


def test_people_stand_in_the_same_tables_everywhere() -> None:
    """What several kinds share is the same in each, so that one class serves them all."""
    found = []
    for kind in ("configuration", "proxy"):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            migrate(db, kind, path=Path(), now=7)
            tables = ("persons", "sessions", "login_failures", "tokens", "audit", "instance", "settings")
            found.append([part for part in schema(db).split("\n\n") if any(f"TABLE {name} (" in part for name in tables)])
    assert len(found[0]) == 7
    assert found[0] == found[1]


def test_each_migration_leaves_its_record(db: sqlite3.Connection, path: Path) -> None:
    """Applied migrations are recorded with their time, and a second run changes nothing."""
    migrate(db, "events", path=path, now=7)
    migrate(db, "events", path=path, now=8)
    known = migrations("events")
    assert db.execute("SELECT number, name, at FROM migrations").fetchall() == [(number, name, 7) for number, name, _ in known]
    assert pragma_number(db, "user_version") == known[-1][0] == len(known)
    db.close()


def test_a_failing_migration_leaves_nothing(db: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statements before the one that fails are undone, and the version stays."""
    monkeypatch.setattr(module, "migrations", lambda _: [(1, "0001_a.sql", "CREATE TABLE a (x);\nCREATE TABLE a (y);")])
    with pytest.raises(ProblemError):
        migrate(db, "events", path=path, now=7)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == []
    assert pragma_number(db, "user_version") == 0
    db.close()


def test_a_newer_file_is_refused(db: sqlite3.Connection, path: Path) -> None:
    """A file from a newer program is left alone, in words that name both versions."""
    db.execute("PRAGMA user_version = 99")
    with pytest.raises(ProblemError) as caught:
        migrate(db, "events", path=path, now=7)
    assert caught.value.problems[0].code == "store_newer"
    assert "99" in caught.value.problems[0].text
    db.close()

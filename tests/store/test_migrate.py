"""Migrations bring a file up to date, each wholly or not at all."""

import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from store.sqlite import migrate as module
from store.sqlite.database import EVENTS_APPLICATION, Opener, pragma_number
from store.sqlite.migrate import migrate, migrations, schema
from touchpoints.problem import ProblemError


@pytest.fixture
def db(path: Path) -> sqlite3.Connection:
    return Opener(path=path, application_id=EVENTS_APPLICATION, writer=True)()


def test_the_schema_for_readers_is_the_schema(db: sqlite3.Connection, path: Path) -> None:
    """`schema/current-events.sql` equals what the migrations make; `schema(db)` is how it was written."""
    migrate(db, "events", path=path, now=7)
    shown = files("store.sqlite").joinpath("schema", "current-events.sql").read_text(encoding="utf-8")
    assert schema(db) == shown
    db.close()


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

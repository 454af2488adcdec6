"""Numbered `.sql` migrations, each with its record in one transaction."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

from store.sqlite.database import explained, pragma_number
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_SHARED = re.compile(r"^-- with shared/([a-z0-9_]+\.sql)$", re.MULTILINE)


def migrations(kind: str) -> list[tuple[int, str, str]]:
    """(number, file name, SQL) of `migrations/<kind>/NNNN_name.sql`, in order; `kind` is events, configuration, queue or proxy.

    A line `-- with shared/NAME.sql` stands for that file, which several kinds have in common; once released it never changes.
    """
    folder = files("store.sqlite").joinpath("migrations")
    named = [(match, entry) for entry in folder.joinpath(kind).iterdir() if (match := _NAME.fullmatch(entry.name))]

    def whole(sql: str) -> str:
        return _SHARED.sub(lambda found: folder.joinpath("shared", found[1]).read_text(encoding="utf-8"), sql)

    return sorted((int(match[1]), entry.name, whole(entry.read_text(encoding="utf-8"))) for match, entry in named)


CREATE_RECORD = (
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT"
)
INSERT_RECORD = "INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)"


def migrate(db: sqlite3.Connection, kind: str, *, path: Path, now: Micros) -> None:
    """Bring a file up to date. Raises ProblemError: store_newer, or what SQLite's error means."""
    known = migrations(kind)
    version = pragma_number(db, "user_version")
    if version > known[-1][0]:
        raise ProblemError(problem("store_newer", path=str(path), found=version, known=known[-1][0]))
    try:
        for number, name, sql in known:
            if number > version:
                _apply(db, number, name, sql, now)
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _apply(db: sqlite3.Connection, number: int, name: str, sql: str, now: Micros) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{CREATE_RECORD};\n{sql}")
        db.execute(INSERT_RECORD, (number, name, now))
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


SELECT_SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name"


def schema(db: sqlite3.Connection) -> str:
    """The whole schema as SQL, for `schema/current-<kind>.sql` and the test that compares them."""
    return "\n\n".join(f"{sql};" for (sql,) in db.execute(SELECT_SCHEMA)) + "\n"

"""Numbered `.sql` migrations, each with its record in one transaction."""

import os
import re
import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from store.sqlite.database import explained, pragma_number
from touchpoints.destinations.in_place import put_in_place
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_SHARED = re.compile(r"^-- with shared/([a-z0-9_]+\.sql)$", re.MULTILINE)
_PACE = 20_000  # of SQLite's instructions between two looks at whether to stop


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


def outdated(db: sqlite3.Connection, kind: str) -> tuple[int, int] | None:
    """(its version, ours) of a file that an older program made; None for a new one, and one that is up to date."""
    found, latest = pragma_number(db, "user_version"), migrations(kind)[-1][0]
    return (found, latest) if 0 < found < latest else None


def migrate(
    db: sqlite3.Connection,
    kind: str,
    *,
    path: Path,
    now: Micros,
    keep: Path | None = None,
    halted: Callable[[], bool] = lambda: False,
) -> None:
    """Bring a file up to date; one that is not a new one may take long.

    - `keep`: where an older file is copied to first, as it is.
    - `halted`: asked now and then, from this thread; once it says so, what has begun is undone, and that is all.

    Raises ProblemError: store_newer, store_not_migrated, or what SQLite's error means.
    """
    known = migrations(kind)
    version = pragma_number(db, "user_version")
    if version > known[-1][0]:
        raise ProblemError(problem("store_newer", path=str(path), found=version, known=known[-1][0]))
    pending = [one for one in known if one[0] > version]
    if not pending:
        return
    db.set_progress_handler(halted, _PACE)
    try:
        if keep is not None and version:
            _copy(db, keep)
        for number, name, sql in pending:
            _apply(db, number, name, sql, now)
    except (sqlite3.Error, OSError) as error:
        raise _failed(error, path, version, known[-1][0]) from error
    finally:
        db.set_progress_handler(None, 0)


def _failed(error: Exception, path: Path, version: int, latest: int) -> ProblemError:
    found = explained(error, path) if isinstance(error, sqlite3.Error) else None
    if found is not None and (not version or found.problems[0].code != "store_unopenable"):
        return found
    why = getattr(error, "strerror", None) or str(error)
    return ProblemError(problem("store_not_migrated", path=str(path), found=version, known=latest, error=why))


COPY = "VACUUM INTO ?"


def _copy(db: sqlite3.Connection, target: Path) -> None:
    """A copy that is there whole or not at all. Raises OSError."""
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    db.execute(COPY, (str(partial),))
    with partial.open("r+b") as file:
        os.fsync(file.fileno())
    put_in_place(partial, target)


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

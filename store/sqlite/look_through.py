"""A look through a file while everything else goes on: table by table with its indexes, each at one moment."""

import sqlite3
from collections.abc import Callable

from store.sqlite.database import CORRUPT, primary_code

_PACE = 1_000  # of SQLite's steps between two looks at whether to stop

SELECT_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"
CHECK_TABLE = "SELECT integrity_check FROM pragma_integrity_check(?)"


class GivenUpError(Exception):
    """A look was stopped before its end."""


def tables(db: sqlite3.Connection) -> list[str]:
    """What is to be looked at, SQLite's own list of tables first. Raises sqlite3.Error."""
    return ["sqlite_schema", *(name for (name,) in db.execute(SELECT_TABLES))]


def is_sound_table(db: sqlite3.Connection, table: str, *, halted: Callable[[], bool]) -> bool:
    """Whether a table's pages, rows and indexes are whole, and agree. `halted` is asked now and then, from this thread.

    Free pages are not looked at. Raises GivenUpError, and sqlite3.Error where it was not damage that kept it from being read.
    """
    db.set_progress_handler(halted, _PACE)
    try:
        answer = db.execute(CHECK_TABLE, (table,)).fetchone()
    except sqlite3.Error as error:
        if primary_code(error) in CORRUPT:
            return False
        if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            raise GivenUpError from error
        raise
    finally:
        db.set_progress_handler(None, 0)
    return bool(answer == ("ok",))

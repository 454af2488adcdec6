"""Many rows in few statements.

Every step of a statement gives Python's lock away and takes it back. Beside a busy event loop that costs more than the row,
so rows go in by the dozen, and what is read for a batch comes back as one row of JSON.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

Row = tuple[Any, ...]
SIZES = (64, 32, 16, 8, 4, 2, 1)  # rows of one statement; each is prepared once


class Bulk:
    """A statement over VALUES, whose `{rows}` stand for one or more rows of `width` parameters."""

    def __init__(self, sql: str, width: int) -> None:
        row = f"({', '.join('?' * width)})"
        self._statements = [(size, sql.replace("{rows}", ", ".join([row] * size))) for size in SIZES]

    def change(self, db: sqlite3.Connection, rows: Sequence[Row]) -> int:
        """Run it for all rows, in order; how many rows were changed."""
        return sum(cursor.rowcount for cursor in self._run(db, rows))

    def read(self, db: sqlite3.Connection, rows: Sequence[Row]) -> list[Row]:
        """What it selects for all rows."""
        return [found for cursor in self._run(db, rows) for found in cursor.fetchall()]

    def _run(self, db: sqlite3.Connection, rows: Sequence[Row]) -> Iterator[sqlite3.Cursor]:
        at = 0
        for size, sql in self._statements:
            while len(rows) - at >= size:
                yield db.execute(sql, list(chain.from_iterable(rows[at : at + size])))
                at += size

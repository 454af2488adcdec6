"""How many are in a state: kept in the transactions that change it, so that no count is a scan and no crash parts them."""

import sqlite3
from collections.abc import Mapping

Key = tuple[str, int]  # state, and the destination (for `refused` the touchpoint, for `inbox` 0)

ADD = """
INSERT INTO counters (state, whose, n) VALUES (?, ?, ?)
ON CONFLICT (state, whose) DO UPDATE SET n = n + excluded.n
"""


def add(db: sqlite3.Connection, changes: Mapping[Key, int]) -> None:
    """Add to counters; to be called in the transaction that makes the changes true."""
    rows = [(state, whose, n) for (state, whose), n in changes.items() if n]
    if rows:
        db.executemany(ADD, rows)


SELECT_ALL = "SELECT state, whose, n FROM counters WHERE n != 0"


def counted(db: sqlite3.Connection) -> dict[Key, int]:
    """Every counter that isn't 0."""
    return {(state, whose): n for state, whose, n in db.execute(SELECT_ALL)}

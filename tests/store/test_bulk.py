"""Many rows in few statements: every row, in order, whatever their number."""

import sqlite3

import pytest

from store.sqlite.bulk import Bulk


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_every_row_is_written_once_and_counted(count: int) -> None:
    """However many rows there are, all are stored, and one that is known already is not counted."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    insert = Bulk("INSERT INTO t VALUES {rows} ON CONFLICT (a) DO NOTHING", 2)
    rows = [(number, f"text {number}") for number in range(count)]
    assert insert.change(db, rows) == count
    assert insert.change(db, [*rows, (count, "another")]) == 1
    assert db.execute("SELECT * FROM t ORDER BY a").fetchall() == [*rows, (count, "another")]
    assert Bulk("SELECT column1 FROM (VALUES {rows})", 1).read(db, [(row[0],) for row in rows]) == [(row[0],) for row in rows]
    db.close()

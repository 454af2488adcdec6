"""A full events file: copies of one real event, written by SQL while Hookport is stopped."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from touchpoints.moment import DAY

SMALL = 200  # bytes of a copied body: what a hop costs must not depend on what lies beside its rows
STEP = 250_000  # events in one transaction

SELECT_MODEL = """
SELECT e.seq, d.seq FROM events e JOIN deliveries d ON d.event_seq = e.seq WHERE e.touchpoint = ? ORDER BY e.seq DESC LIMIT 1
"""
SELECT_COLUMNS = "SELECT name FROM pragma_table_info(?)"
SELECT_LAST = "SELECT (SELECT max(seq) FROM events), (SELECT max(seq) FROM deliveries)"
ADD_PENDING = """
INSERT INTO counters (state, whose, n) SELECT 'pending', destination, :n FROM deliveries WHERE seq = :delivery
ON CONFLICT (state, whose) DO UPDATE SET n = n + excluded.n
"""
NUMBERS = "WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
# 26 characters that sort as the numbers do, as real ids do.
NEW_ID = "printf('0%012x%s', n.i, substr(m.id, 14, 13))"


def fill(path: Path, *, touchpoint: int, count: int, now: int, changed: Mapping[str, str] | None = None) -> None:
    """Add copies of the newest event of a touchpoint, with its delivery, its attempt when that is settled, and its claim.

    The copies are spread over the ten days before `now`; `changed` are more columns of theirs, as SQL over their number n.i.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in ("journal_mode = DELETE", "journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        event, delivery = db.execute(SELECT_MODEL, (touchpoint,)).fetchone()
        last_event, last_delivery = db.execute(SELECT_LAST).fetchone()
        for first in range(1, count + 1, STEP):
            last = min(count, first + STEP - 1)
            values = {
                "event": event,
                "delivery": delivery,
                "first": first,
                "last": last,
                "n": last - first + 1,
                "events": last_event,
                "deliveries": last_delivery,
                "from": now - 10 * DAY,
                "apart": 10 * DAY // count,
            }
            db.execute("BEGIN")
            _copy(db, values, changed or {})
            db.execute("COMMIT")
        db.execute("PRAGMA optimize")


def _copy(db: sqlite3.Connection, values: Mapping[str, int], changed: Mapping[str, str]) -> None:
    at = ":from + n.i * :apart"
    _clone(
        db,
        "events",
        "seq = :event",
        {"seq": ":events + n.i", "id": NEW_ID, "received_at": at, "body_bytes": str(SMALL), "dedup_key": "hex(randomblob(16))"}
        | dict(changed),
        values,
    )
    _clone(db, "bodies", "place = :event << 16", {"place": "(:events + n.i) << 16", "data": f"randomblob({SMALL})"}, values)
    ids = {"seq": ":deliveries + n.i", "event_seq": ":events + n.i", "id": f"printf('%s%s', {NEW_ID}, substr(m.id, 27))"}
    settled = {"settled_at": f"CASE WHEN m.settled_at IS NULL THEN NULL ELSE {at} END"}
    _clone(db, "deliveries", "seq = :delivery", ids | settled, values)
    if db.execute("SELECT state FROM deliveries WHERE seq = :delivery", values).fetchone()[0] == "delivered":
        attempt = {"place": "(:deliveries + n.i) << 16 | 1", "started_at": at}
        _clone(db, "attempts", "place = :delivery << 16 | 1", attempt, values)
    else:
        db.execute(ADD_PENDING, values)
    # In the order of their keys, or two million random pages would be written one by one.
    claim = {"dedup_key": "hex(randomblob(18))", "body_hash": "m.body_hash", "event_seq": ":events + n.i", "at": at}
    _clone(db, "claims", "event_seq = :event", claim, values, order="2")


def _clone(
    db: sqlite3.Connection, table: str, which: str, changed: Mapping[str, str], values: Mapping[str, int], order: str = ""
) -> None:
    """Insert copies of one row, numbered n.i, with some columns changed; those that a later schema adds are copied too."""
    columns = [name for (name,) in db.execute(SELECT_COLUMNS, (table,))]
    chosen = ", ".join(changed.get(column, f"m.{column}") for column in columns)
    model = f"(SELECT * FROM {table} WHERE {which} LIMIT 1) m"  # noqa: S608 - the schema's own words; read once, not once a copy
    sql = f"{NUMBERS} INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {model} CROSS JOIN n"  # noqa: S608 - as above
    db.execute(f"{sql} ORDER BY {order}" if order else sql, values)

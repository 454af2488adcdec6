"""The search through bodies, a bounded slice at a time."""

import sqlite3

from store.log import Filter, Listed, Scanned
from store.sqlite.filters import of_events
from store.sqlite.listing import LISTED_COLUMNS, listed_from_row
from store.sqlite.rows import EVENT_WIDTH, select_body
from store.sqlite.slices import SLICE, ends
from touchpoints.moment import DAY, Micros

SCAN_EVENTS = 500
SCAN_BYTES = 4 * 1024 * 1024


def select_scanned(db: sqlite3.Connection, *, text: bytes, which: Filter, before: int | None) -> Scanned:
    """Look through the bodies of a slice, as many as one short read can take."""
    low, high = ends(db)
    top = high if before is None else min(before, high)
    if top <= low:
        return Scanned(found=(), next_before=None, looked=0)
    floor = max(low, top - SLICE)
    where = of_events(which, floor, top)
    sql = f"SELECT {LISTED_COLUMNS}, e.body_kept FROM events e WHERE {where.sql} ORDER BY e.seq DESC LIMIT ?"  # noqa: S608 - joins constants; values are bound
    found: list[Listed] = []
    wanted, room, looked = text.lower(), SCAN_BYTES, 0
    rows = db.execute(sql, (*where.parameters, SCAN_EVENTS)).fetchall()
    for row in rows:
        listed_row, kept = row[:-1], row[-1]
        seq = listed_row[EVENT_WIDTH]
        if kept:
            body = select_body(db, seq)
            looked, room = looked + 1, room - len(body)
            if wanted in body.lower():
                found.append(listed_from_row(db, listed_row))
        if room <= 0:
            floor = seq
            break
    else:
        if len(rows) == SCAN_EVENTS:
            floor = rows[-1][EVENT_WIDTH]
    over = floor <= low or (which.since is not None and _is_past(db, floor, which.since))
    return Scanned(found=tuple(found), next_before=None if over else floor, looked=looked)


SELECT_RECEIVED = "SELECT received_at FROM events WHERE seq < ? AND item_of IS NULL ORDER BY seq DESC LIMIT 1"


def _is_past(db: sqlite3.Connection, seq: int, since: Micros) -> bool:
    """Whether what was stored before is surely older; a day of grace, for clocks that were set back."""
    row = db.execute(SELECT_RECEIVED, (seq,)).fetchone()
    return row is None or row[0] < since - DAY


# Items stand where their event was planned, which may be long after it was received.
SELECT_ANY_ITEM = "SELECT EXISTS (SELECT 1 FROM events WHERE item_of IS NOT NULL)"
SELECT_FIRST_PARENTS = """
SELECT (SELECT seq FROM events WHERE body_kept = k.value AND received_at >= ? AND item_of IS NULL ORDER BY received_at LIMIT 1)
FROM json_each('[0, 1]') k
"""
SELECT_FIRST_KEPT = "SELECT seq FROM events WHERE body_kept = 1 AND received_at >= ? ORDER BY received_at, seq LIMIT 1"
SELECT_LAST_KEPT = "SELECT seq FROM events WHERE body_kept = 1 AND received_at < ? ORDER BY received_at DESC, seq DESC LIMIT 1"
_EVER = 2**62


def select_reach(db: sqlite3.Connection, *, since: Micros | None, until: Micros | None) -> tuple[int, int]:
    """The numbers of the first and, plus one, of the last stored body of a time."""
    begin, end = -_EVER if since is None else since - DAY, _EVER if until is None else until + DAY
    first = db.execute(SELECT_FIRST_KEPT, (begin,)).fetchone()
    last = db.execute(SELECT_LAST_KEPT, (end,)).fetchone()
    if first is None or last is None:
        return 0, 0
    if db.execute(SELECT_ANY_ITEM).fetchone() == (1,):
        parents = db.execute(SELECT_FIRST_PARENTS, (begin,))
        return min(seq for (seq,) in (first, *parents) if seq is not None), ends(db)[1]
    return first[0], max(first[0], last[0] + 1)

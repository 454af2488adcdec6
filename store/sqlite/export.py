"""The export's rows: one an attempt, and one with attempt 0 for what was never tried."""

import sqlite3

from store.log import ExportRow, Filter
from store.sqlite.filters import of_events, of_rows
from store.sqlite.rows import Row

# LEFT JOINs keep the order of the loops (event, delivery, attempt), which is the order of the rows: nothing is sorted.
FROM = """
FROM events e
LEFT JOIN deliveries d ON d.event_seq = e.seq
LEFT JOIN attempts a ON a.place >= d.seq << 16 AND a.place < (d.seq + 1) << 16
"""
COLUMNS = """
e.seq, coalesce(d.seq, 0), coalesce(a.place & 65535, 0), e.received_at, e.id, e.touchpoint, e.event_type, e.reference,
e.arrived_by, d.destination, d.id, d.run,
CASE WHEN d.seq IS NOT NULL THEN d.state WHEN e.verdict != 'accepted' THEN e.verdict
    WHEN EXISTS (SELECT 1 FROM inbox i WHERE i.seq = e.seq) THEN 'pending' ELSE 'filtered' END,
a.started_at, a.duration, coalesce(a.outcome, ''), a.http_status, coalesce(a.error_code, e.reason), coalesce(a.error, ''),
CASE WHEN a.place IS NOT NULL THEN a.next_attempt_at WHEN d.state = 'pending' THEN d.due_at END, e.body_bytes
"""


def select_rows(
    db: sqlite3.Connection, *, which: Filter, low: int, high: int, after: tuple[int, int, int], limit: int
) -> list[ExportRow]:
    """Rows of a slice of events, those up to the cursor `after` left out, in order of receipt."""
    events, rows = of_events(which, low, high), of_rows(which)
    sql = f"SELECT {COLUMNS} {FROM} WHERE {events.sql} AND {rows.sql} ORDER BY e.seq, d.seq, a.place"
    found: list[ExportRow] = []
    for row in db.execute(sql, events.parameters + rows.parameters):
        if row[:3] > after:
            found.append(_export_row(row))
            if len(found) == limit:
                break
    return found


def count_rows(db: sqlite3.Connection, *, which: Filter, low: int, high: int) -> int:
    """How many rows a slice of events gives."""
    events, rows = of_events(which, low, high), of_rows(which)
    sql = f"SELECT count(*) {FROM} WHERE {events.sql} AND {rows.sql}"
    (count,) = db.execute(sql, events.parameters + rows.parameters).fetchone()
    return int(count)


def _export_row(row: Row) -> ExportRow:
    return ExportRow(
        cursor=row[:3],
        received_at=row[3],
        event_id=row[4],
        touchpoint=row[5],
        event_type=row[6],
        reference=row[7],
        arrived_by=row[8],
        destination=row[9],
        delivery_id=row[10],
        run=row[11],
        delivery_state=row[12],
        attempt=row[2],
        attempted_at=row[13],
        duration=row[14],
        outcome=row[15],
        http_status=row[16],
        error_code=row[17],
        error=row[18],
        next_attempt_at=row[19],
        body_bytes=row[20],
    )

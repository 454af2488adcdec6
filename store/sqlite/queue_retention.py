"""Retention of the queue: what waited too long, what was acknowledged long ago, and what is erased, in short slices."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from store.sqlite.bulk import Row
from store.sqlite.lanes import Lane, read_lane, write_lanes
from touchpoints.moment import HOUR, Micros

PAGE = 500  # organisations that are looked at in one read


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Before when something must have been queued, or acknowledged, to go."""

    before: Micros
    acknowledged_before: Micros


SELECT_ORGANISATIONS = "SELECT organisation FROM lanes WHERE organisation > ? ORDER BY organisation LIMIT ?"
SELECT_FIRST = "SELECT seq FROM messages WHERE organisation = ? AND seq <= ? LIMIT 1"
SELECT_FIRST_WAITING = "SELECT queued_at FROM messages WHERE organisation = ? AND seq > ? ORDER BY seq LIMIT 1"


def select_due(db: sqlite3.Connection, *, after: int, cutoffs: Cutoffs) -> tuple[list[int], int]:
    """Of a page of organisations those with something to remove, and the last one looked at; 0 after the last page."""
    page = [organisation for (organisation,) in db.execute(SELECT_ORGANISATIONS, (after, PAGE))]
    return [one for one in page if _is_due(db, read_lane(db, one), cutoffs)], page[-1] if page else 0


def _is_due(db: sqlite3.Connection, lane: Lane, cutoffs: Cutoffs) -> bool:
    waiting = db.execute(SELECT_FIRST_WAITING, (lane.organisation, lane.acknowledged)).fetchone()
    if waiting and waiting[0] < cutoffs.before:
        return True
    return db.execute(SELECT_FIRST, (lane.organisation, _acknowledged_by(db, lane, cutoffs))).fetchone() is not None


SELECT_MARK = "SELECT coalesce(max(position), 0) FROM marks WHERE organisation = ? AND hour < ?"


def _acknowledged_by(db: sqlite3.Connection, lane: Lane, cutoffs: Cutoffs) -> int:
    """Up to which position it was acknowledged before the cutoff."""
    if lane.acknowledged_at < cutoffs.acknowledged_before:
        return lane.acknowledged
    (position,) = db.execute(SELECT_MARK, (lane.organisation, cutoffs.acknowledged_before // HOUR)).fetchone()
    return int(position)


ROWS = "SELECT seq, queued_at, bytes, body, key_id FROM messages WHERE organisation = ?"
SELECT_ACKNOWLEDGED = f"{ROWS} AND seq <= ? ORDER BY seq LIMIT ?"
SELECT_WAITING = f"{ROWS} AND seq > ? ORDER BY seq LIMIT ?"
DELETE_MARKS = "DELETE FROM marks WHERE organisation = ? AND position < ?"


def delete_due(db: sqlite3.Connection, *, organisation: int, cutoffs: Cutoffs, limit: int) -> tuple[int, int]:
    """Remove a slice of one organisation: how many messages went, and how many of these were waiting."""
    lane = read_lane(db, organisation)
    position = _acknowledged_by(db, lane, cutoffs)
    done = db.execute(SELECT_ACKNOWLEDGED, (organisation, position, limit)).fetchall()
    late: list[Row] = []
    for row in db.execute(SELECT_WAITING, (organisation, lane.acknowledged, limit - len(done))).fetchall():
        if row[1] >= cutoffs.before:
            break
        late.append(row)
    _delete(db, organisation, [*done, *late])
    lane.events -= len(late)
    lane.bytes -= sum(row[2] for row in late)
    if late:
        write_lanes(db, [lane])
    db.execute(DELETE_MARKS, (organisation, position))
    return len(done) + len(late), len(late)


DELETE_MESSAGE = "DELETE FROM messages WHERE organisation = ? AND seq = ?"
DELETE_BODY = "DELETE FROM bodies WHERE place >= ? AND place < ?"
SUBTRACT_USES = "UPDATE keys SET uses = uses - ? WHERE organisation = ? AND key_id = ?"


def _delete(db: sqlite3.Connection, organisation: int, rows: Sequence[Row]) -> None:
    db.executemany(DELETE_MESSAGE, [(organisation, row[0]) for row in rows])
    db.executemany(DELETE_BODY, [(row[3] << 16, (row[3] + 1) << 16) for row in rows])
    uses = Counter(row[4] for row in rows)
    db.executemany(SUBTRACT_USES, [(count, organisation, key_id) for key_id, count in uses.items()])


END_GAPS = """
UPDATE lanes SET gap_first = 0, gap_last = 0 WHERE gap_last != 0
    AND NOT EXISTS (SELECT 1 FROM incarnations i WHERE i.organisation = lanes.organisation AND i.at >= ?)
"""


def end_gaps(db: sqlite3.Connection, *, before: Micros) -> int:
    """Say no more what a restore lost where that was before a time; of how many organisations."""
    return db.execute(END_GAPS, (before,)).rowcount


DELETE_KEYS = """
DELETE FROM keys WHERE uses = 0 AND (organisation, key_id) IN
    (SELECT organisation, key_id FROM keys INDEXED BY keys_unused WHERE uses = 0 AND at < ? LIMIT ?)
"""


def delete_keys(db: sqlite3.Connection, *, before: Micros, limit: int) -> int:
    """Remove some data keys that open nothing any more; how many. One that is young may be about to be used."""
    return db.execute(DELETE_KEYS, (before, limit)).rowcount


def delete_some(db: sqlite3.Connection, *, organisation: int, limit: int) -> int:
    """Remove a slice of an organisation's messages, whatever their state; how many."""
    lane = read_lane(db, organisation)
    rows = db.execute(SELECT_WAITING, (organisation, 0, limit)).fetchall()
    _delete(db, organisation, rows)
    late = [row for row in rows if row[0] > lane.acknowledged]
    lane.events -= len(late)
    lane.bytes -= sum(row[2] for row in late)
    write_lanes(db, [lane])
    return len(rows)


DELETE_OF = tuple(
    f"DELETE FROM {table} WHERE organisation = ?"  # noqa: S608 - the schema's own words
    for table in ("keys", "marks", "reports", "epochs", "incarnations")
)
INSERT_LOST = "INSERT INTO epochs (organisation, epoch, agent, position, known) VALUES (?, 0, '', ?, 0)"


def delete_rest(db: sqlite3.Connection, *, organisation: int) -> None:
    """Remove what else is kept of an organisation without messages. Its numbers go on where they were."""
    lane = read_lane(db, organisation)
    for sql in DELETE_OF:
        db.execute(sql, (organisation,))
    lane.agent, lane.acknowledged, lane.acknowledged_at = "", lane.next_seq - 1, 0
    lane.gap_first = lane.gap_last = 0
    db.execute(INSERT_LOST, (organisation, lane.acknowledged))
    write_lanes(db, [lane])

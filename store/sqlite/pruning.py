"""The queries of retention. Each write checks again that what it removes is settled."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store.sqlite import counters
from touchpoints.moment import Micros

SETTLED = """
verdict != 'refused' AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.seq = events.seq)
AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_seq = events.seq
    AND (d.state NOT IN ('delivered', 'dismissed') OR d.settled_at >= ?))
"""
# Pages by (age, seq), so that events no one may prune are stepped over and not read again.
SELECT_AGED = f"""
SELECT received_at, seq, (verdict = 'refused' AND body_kept = 0) OR ({SETTLED}) FROM events INDEXED BY events_age
WHERE body_kept = ? AND received_at < ? AND (received_at, seq) > (?, ?) ORDER BY received_at, seq LIMIT ?
"""  # noqa: S608 - joins constants; values are bound


def select_aged(
    db: sqlite3.Connection, *, kept: bool, before: Micros, after: tuple[Micros, int], limit: int
) -> list[tuple[Micros, int, bool]]:
    """(received_at, seq, whether it may go) of events with or without a body, oldest first."""
    rows = db.execute(SELECT_AGED, (before, int(kept), before, *after, limit))
    return [(received_at, seq, settled == 1) for received_at, seq, settled in rows]


UPDATE_PRUNED = f"UPDATE events SET body_kept = 0 WHERE seq = ? AND body_kept = 1 AND {SETTLED}"  # noqa: S608 - joins constants; values are bound
DELETE_BODY = "DELETE FROM bodies WHERE place >= ? AND place < ?"


def prune_bodies(db: sqlite3.Connection, *, seqs: Iterable[int], cutoff: Micros) -> int:
    """Remove the bodies of those events that were settled before `cutoff`; how many that were."""
    pruned = [seq for seq in seqs if db.execute(UPDATE_PRUNED, (seq, cutoff)).rowcount]
    _delete_bodies(db, pruned)
    return len(pruned)


def _delete_bodies(db: sqlite3.Connection, seqs: Iterable[int]) -> None:
    db.executemany(DELETE_BODY, [(seq << 16, (seq + 1) << 16) for seq in seqs])


# The newest event stays whatever its age: its number must never be given again.
DELETE_EVENT = f"""
DELETE FROM events WHERE seq = ? AND body_kept = 0 AND seq != (SELECT max(seq) FROM events)
AND (verdict = 'refused' OR ({SETTLED}))
"""  # noqa: S608 - joins constants; values are bound
SELECT_DELIVERIES = "SELECT seq FROM deliveries WHERE event_seq = ?"
DELETE_DELIVERIES = "DELETE FROM deliveries WHERE event_seq = ?"
DELETE_ATTEMPTS = "DELETE FROM attempts WHERE place >= ? AND place < ?"


def delete_events(db: sqlite3.Connection, *, seqs: Iterable[int], cutoff: Micros) -> int:
    """Delete those events without a body that were settled before `cutoff`, with deliveries and attempts; how many."""
    deleted = [seq for seq in seqs if db.execute(DELETE_EVENT, (seq, cutoff)).rowcount]
    for seq in deleted:
        places = [(d << 16, (d + 1) << 16) for (d,) in db.execute(SELECT_DELIVERIES, (seq,)).fetchall()]
        db.executemany(DELETE_ATTEMPTS, places)
        db.execute(DELETE_DELIVERIES, (seq,))
    return len(deleted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A refused event that is kept whole."""

    seq: int
    body_bytes: int
    direct: bool
    received_at: Micros


SELECT_REFUSED_TOUCHPOINTS = "SELECT DISTINCT touchpoint FROM events WHERE verdict = 'refused' AND body_kept = 1"


def select_refused_touchpoints(db: sqlite3.Connection) -> list[int]:
    """Touchpoints with refused events."""
    return [touchpoint for (touchpoint,) in db.execute(SELECT_REFUSED_TOUCHPOINTS)]


SELECT_REFUSED = """
SELECT seq, body_bytes, arrived_by, received_at FROM events INDEXED BY events_refused
WHERE verdict = 'refused' AND body_kept = 1 AND touchpoint = ? AND seq < ? AND reason != 'touchpoint_lacking'
ORDER BY seq DESC LIMIT ?
"""


def select_refused(db: sqlite3.Connection, *, touchpoint: int, before: int, limit: int) -> list[RefusedRow]:
    """Refused events of a touchpoint, newest first; not those that could not be verified for want of it."""
    rows = db.execute(SELECT_REFUSED, (touchpoint, before, limit))
    return [RefusedRow(seq=seq, body_bytes=size, direct=by == "direct", received_at=at) for seq, size, by, at in rows]


UPDATE_REFUSED = """
UPDATE events SET body_kept = 0 WHERE seq = ? AND verdict = 'refused' AND body_kept = 1
RETURNING touchpoint, instr(flags, 'dismissed') > 0
"""
DELETE_REFUSED = "DELETE FROM events WHERE seq = ? AND verdict = 'refused' AND seq != (SELECT max(seq) FROM events)"


def prune_refused(db: sqlite3.Connection, *, bodies: Sequence[int], whole: Sequence[int]) -> int:
    """Remove the bodies of refused events, and those of `whole` altogether; how many that were."""
    rows: list[tuple[int, int]] = []
    for seq in (*bodies, *whole):
        rows += db.execute(UPDATE_REFUSED, (seq,)).fetchall()
    _delete_bodies(db, (*bodies, *whole))
    db.executemany(DELETE_REFUSED, [(seq,) for seq in whole])
    counters.add(db, {("refused", who): -n for who, n in Counter(who for who, dismissed in rows if not dismissed).items()})
    return len(rows)


DELETE_CLAIMS = """
DELETE FROM claims WHERE (touchpoint, dedup_key, body_hash) IN
    (SELECT touchpoint, dedup_key, body_hash FROM claims INDEXED BY claims_at WHERE at < ? ORDER BY at LIMIT ?)
"""


def delete_claims(db: sqlite3.Connection, *, before: Micros, limit: int) -> int:
    """Forget some dedup keys claimed before a moment; how many that were."""
    return db.execute(DELETE_CLAIMS, (before, limit)).rowcount


DELETE_REFUSALS = "DELETE FROM refusals WHERE day < ?"


def delete_refusals(db: sqlite3.Connection, *, before_day: int) -> int:
    """Forget the counts of refused requests before a day; how many rows that were."""
    return db.execute(DELETE_REFUSALS, (before_day,)).rowcount

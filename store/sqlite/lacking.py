"""Events kept refused because the touchpoint that they came for is not here: counted, and moved to the one that is."""

import json
import sqlite3
from collections import Counter

from store.sqlite import counters

SLICE = 500  # events a transaction

COUNT_LACKING = """
SELECT touchpoint, count(*) FROM events INDEXED BY events_lacking
WHERE reason = 'touchpoint_lacking' AND body_kept = 1 GROUP BY touchpoint
"""


def count_lacking(db: sqlite3.Connection) -> dict[int, int]:
    """Events that nothing could verify, by touchpoint."""
    return dict(db.execute(COUNT_LACKING).fetchall())


SELECT_OF = """
SELECT seq, body_kept = 1 AND instr(flags, 'dismissed') = 0 FROM events INDEXED BY events_not_accepted
WHERE verdict = 'refused' AND verdict != 'accepted' AND touchpoint = ? AND reason = 'touchpoint_lacking' LIMIT ?
"""
UPDATE_TOUCHPOINT = "UPDATE events SET touchpoint = ? WHERE seq IN (SELECT value FROM json_each(?))"


def adopt_lacking(db: sqlite3.Connection, *, old: int, new: int) -> int:
    """Let a slice of an id's lacking events be another's, counted there; how many.

    Pruned ones go along, so that the log names one touchpoint for all of them.
    """
    rows = db.execute(SELECT_OF, (old, SLICE)).fetchall()
    told = Counter(open_ for _, open_ in rows)[1]
    db.execute(UPDATE_TOUCHPOINT, (new, json.dumps([seq for seq, _ in rows])))
    counters.add(db, {("refused", old): -told, ("refused", new): told})
    _move_refusals(db, old, new)
    return len(rows)


ADD_REFUSALS = """
INSERT INTO refusals (touchpoint, day, reason, n)
SELECT ?, day, reason, n FROM refusals WHERE touchpoint = ? AND reason = 'touchpoint_lacking'
ON CONFLICT (touchpoint, day, reason) DO UPDATE SET n = n + excluded.n
"""
DELETE_REFUSALS = "DELETE FROM refusals WHERE touchpoint = ? AND reason = 'touchpoint_lacking'"


def _move_refusals(db: sqlite3.Connection, old: int, new: int) -> None:
    db.execute(ADD_REFUSALS, (new, old))
    db.execute(DELETE_REFUSALS, (old,))

"""Leases that ended: which of their rows nobody can need any more.

An agent that comes back, however late, may ask for the final position of a lease it had: for what it stored and was never told
about. Up to there it runs them, the rest it forgets, so that an answer too high repeats what another agent ran, one too low
loses what was accepted from this one, and "not known" runs everything. Therefore these stay:

- of each agent the last lease under which the position moved. It asks about all that it stored before it is given another, so
  that of an earlier one it asks only when its folder was put back from a backup: what it had then, it ran before.
- the last that moved beyond the first message that is still kept: they tell who took what.
- those whose end a restore lost, and the first after each of these, so that no later lease is taken for a lost one.

A lease under which nothing moved has no row. Its agent is given the position of an older row: never one that is too high, and
what it stored lies beyond both.
"""

import sqlite3

SELECT_NEEDLESS = """
SELECT organisation, epoch FROM epochs e WHERE organisation = ? AND known = 1
    AND position < coalesce((SELECT min(seq) FROM messages m WHERE m.organisation = e.organisation), 1 << 62)
    AND EXISTS (SELECT 1 FROM epochs n WHERE n.organisation = e.organisation AND n.epoch > e.epoch AND n.agent = e.agent
        AND n.known = 1)
    AND coalesce((SELECT p.known FROM epochs p WHERE p.organisation = e.organisation AND p.epoch < e.epoch
        ORDER BY p.epoch DESC LIMIT 1), 1) = 1
ORDER BY epoch LIMIT ?
"""
DELETE_EPOCH = "DELETE FROM epochs WHERE organisation = ? AND epoch = ?"


def delete_needless(db: sqlite3.Connection, *, organisation: int, limit: int) -> int:
    """Forget some ended leases of an organisation that nobody can need any more; how many."""
    found = db.execute(SELECT_NEEDLESS, (organisation, limit)).fetchall()
    db.executemany(DELETE_EPOCH, found)
    return len(found)

"""Split events: their items as events of their own, stored in the transaction that plans them."""

import sqlite3
from collections.abc import Sequence

from store.outbox import Item, Plan, plan_of
from store.sqlite.bulk import Bulk
from store.sqlite.rows import body_rows, event_row
from store.sqlite.sequence import Sequence as Numbers

UPDATE_SPLIT = "UPDATE events SET verdict = 'split' WHERE seq = ?"
# An item never waits in the inbox, and is no arrival of its own: its parent was counted.
INSERT_ITEMS = Bulk(
    """
INSERT INTO events (seq, id, touchpoint, received_at, arrived_by, verdict, reason, method, target, headers, remote,
    event_type, dedup_key, reference, body_bytes, body_hash, id_signed, test, hop, item_of)
VALUES {rows} ON CONFLICT (id) DO NOTHING
""",
    20,
)
INSERT_BODIES = Bulk("INSERT INTO bodies (place, data) VALUES {rows}", 2)
SELECT_ITEMS = "SELECT seq FROM events WHERE item_of = ? AND seq >= ?"


def put_items(db: sqlite3.Connection, plans: Sequence[Plan], numbers: Numbers) -> list[Plan]:
    """Settle split events and store their items; what is left to plan, in order: the items in the place of their event."""
    left: list[Plan] = []
    for plan in plans:
        if plan.items is None:
            left.append(plan)
            continue
        db.execute(UPDATE_SPLIT, (plan.seq,))
        left += [plan_of(seq, item.planned) for seq, item in _put(db, plan.seq, plan.items, numbers)]
    return left


def _put(db: sqlite3.Connection, parent: int, items: Sequence[Item], numbers: Numbers) -> list[tuple[int, Item]]:
    """Store the items of one event; one that is there already stays what it has become."""
    placed = list(zip(numbers.take(len(items)), items, strict=True))
    inserted = INSERT_ITEMS.change(db, [(*event_row(seq, item.arrival.event), parent) for seq, item in placed])
    if inserted < len(placed):
        new = {seq for (seq,) in db.execute(SELECT_ITEMS, (parent, placed[0][0]))}
        placed = [(seq, item) for seq, item in placed if seq in new]
    INSERT_BODIES.change(db, [row for seq, item in placed for row in body_rows(seq, item.arrival.body)])
    return placed

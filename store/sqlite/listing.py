"""Events with their deliveries as lists show them."""

import sqlite3

from store.log import Listed
from store.sqlite.rows import DELIVERY_COLUMNS, EVENT_COLUMNS, EVENT_WIDTH, Row, delivery_from_row, event_from_row
from touchpoints.delivery import Delivery

LISTED_COLUMNS = f"""
{EVENT_COLUMNS}, e.seq, (SELECT o.id FROM events o WHERE o.seq = e.duplicate_of), e.flags,
EXISTS (SELECT 1 FROM inbox i WHERE i.seq = e.seq), (SELECT o.id FROM events o WHERE o.seq = e.item_of)
"""  # noqa: S608 - joins constants; values are bound


def listed_from_row(db: sqlite3.Connection, row: Row) -> Listed:
    """An event of a list from a row of LISTED_COLUMNS."""
    event = event_from_row(row)
    seq, duplicate_of, flags, waiting, item_of = row[EVENT_WIDTH:]
    return Listed(
        seq=seq,
        event=event,
        duplicate_of=duplicate_of,
        item_of=item_of,
        flags=tuple(flags.split()),
        waiting=waiting == 1,
        deliveries=tuple(delivery for _, delivery in select_deliveries(db, seq, event.id)),
    )


SELECT_DELIVERIES = f"SELECT {DELIVERY_COLUMNS} FROM deliveries d WHERE d.event_seq = ? ORDER BY d.seq"  # noqa: S608 - joins constants; values are bound


def select_deliveries(db: sqlite3.Connection, event_seq: int, event_id: str) -> list[tuple[int, Delivery]]:
    """(seq, delivery) of one event, in order of planning."""
    return [(row[0], delivery_from_row(row, event_id)) for row in db.execute(SELECT_DELIVERIES, (event_seq,))]

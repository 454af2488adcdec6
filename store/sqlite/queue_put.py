"""Sealed events on their way into the queue: numbered, counted and stored, those of many organisations together."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from store.queue import Parcel, Quota
from store.sqlite.bulk import Bulk
from store.sqlite.lanes import Lane, read_lanes, write_lanes
from store.sqlite.rows import body_rows
from store.sqlite.sequence import Sequence as Numbers

Posted = tuple[Parcel, Quota]
Placed = tuple[int, int, Parcel]  # seq, number of the body, and the parcel


def insert_parcels(db: sqlite3.Connection, posted: list[Posted], *, numbers: Numbers) -> list[bool]:
    """Store parcels; one whose id is known changes nothing. False for each that finds its organisation's quota full."""
    lanes = read_lanes(db, [parcel.organisation for parcel, _ in posted])
    before = {organisation: (lane.next_seq, lane.events, lane.bytes) for organisation, lane in lanes.items()}
    full, placed = place(posted, lanes, numbers, known=set())
    if full or INSERT_MESSAGES.change(db, [message_row(*each) for each in placed]) != len(placed):
        # Rare, and looked at closely: a repeat takes neither room nor number.
        if not full:
            db.executemany(DELETE_FROM, [(organisation, first) for organisation, (first, _, _) in before.items()])
        for organisation, lane in lanes.items():
            lane.next_seq, lane.events, lane.bytes = before[organisation]
        full, placed = place(posted, lanes, numbers, known=known_ids(db, posted))
        INSERT_MESSAGES.change(db, [message_row(*each) for each in placed])
    INSERT_BODIES.change(db, [row for _, number, parcel in placed for row in body_rows(number, parcel.data)])
    count_keys(db, placed)
    write_lanes(db, lanes.values())
    return [index not in full for index in range(len(posted))]


def place(
    posted: Sequence[Posted], lanes: dict[int, Lane], numbers: Numbers, *, known: set[tuple[int, str]]
) -> tuple[set[int], list[Placed]]:
    """Give each parcel its number and count it; the places of those without room, and the others. `known` grows."""
    full: set[int] = set()
    placed: list[Placed] = []
    bodies = iter(numbers.take(len(posted)))
    for index, (parcel, quota) in enumerate(posted):
        lane, size = lanes[parcel.organisation], len(parcel.data)
        if (parcel.organisation, parcel.id) in known:
            continue
        if lane.events + 1 > quota.events or lane.bytes + size > quota.bytes:
            full.add(index)
            continue
        known.add((parcel.organisation, parcel.id))
        placed.append((lane.next_seq, next(bodies), parcel))
        lane.next_seq += 1
        lane.events += 1
        lane.bytes += size
    return full, placed


INSERT_MESSAGES = Bulk(
    """
INSERT INTO messages (organisation, seq, id, received_at, queued_at, key_id, digest, bytes, body)
VALUES {rows} ON CONFLICT (organisation, id) DO NOTHING
""",
    9,
)
INSERT_BODIES = Bulk("INSERT INTO bodies (place, data) VALUES {rows}", 2)
DELETE_FROM = "DELETE FROM messages WHERE organisation = ? AND seq >= ?"
SELECT_KNOWN = Bulk(
    "SELECT organisation, id FROM (VALUES {rows}) CROSS JOIN messages ON organisation = column1 AND id = column2", 2
)


def message_row(seq: int, number: int, parcel: Parcel) -> tuple[int | str | bytes, ...]:
    """A parcel in the order of INSERT_MESSAGES."""
    return (
        parcel.organisation,
        seq,
        parcel.id,
        parcel.received_at,
        parcel.received_at,
        parcel.key_id,
        parcel.digest,
        len(parcel.data),
        number,
    )


def known_ids(db: sqlite3.Connection, posted: Sequence[Posted]) -> set[tuple[int, str]]:
    """(organisation, id) of those that are stored already."""
    return {(row[0], row[1]) for row in SELECT_KNOWN.read(db, [(parcel.organisation, parcel.id) for parcel, _ in posted])}


ADD_USES = Bulk(
    """
UPDATE keys SET uses = uses + v.column3
FROM (VALUES {rows}) v WHERE keys.organisation = v.column1 AND keys.key_id = v.column2
""",
    3,
)


def count_keys(db: sqlite3.Connection, placed: Sequence[Placed]) -> None:
    """Count what each data key opens. Raises LookupError for a key that was never stored: nobody could open the event."""
    uses = Counter((parcel.organisation, parcel.key_id) for _, _, parcel in placed)
    if ADD_USES.change(db, [(*key, more) for key, more in uses.items()]) != len(uses):
        raise LookupError("a data key that is not stored")


UPSERT_KEY = """
INSERT INTO keys (organisation, key_id, wrapped, at, uses) VALUES (?, ?, ?, ?, 0)
ON CONFLICT (organisation, key_id) DO NOTHING
"""


def insert_key(db: sqlite3.Connection, organisation: int, key_id: str, wrapped: bytes, now: int) -> None:
    """Keep a data key."""
    db.execute(UPSERT_KEY, (organisation, key_id, wrapped, now))


SELECT_LAST_BODY = "SELECT max(place) >> 16 FROM bodies"


def last_body(db: sqlite3.Connection) -> int:
    """The highest number of a stored body."""
    (last,) = db.execute(SELECT_LAST_BODY).fetchone()
    return last or 0

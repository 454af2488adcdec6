"""Reading the queue: messages with their bytes, and what waits. Each is an index range of one organisation."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from store.queue import Pulled
from store.sqlite.bulk import Bulk, Row
from touchpoints.pull.message import Backlog, Sealed

SELECT_POSITION = "SELECT acknowledged FROM lanes WHERE organisation = ?"
SELECT_MESSAGES = """
SELECT seq, id, received_at, key_id, digest, bytes, body FROM messages
WHERE organisation = ? AND seq > ? ORDER BY seq LIMIT ?
"""
SELECT_BODIES = Bulk("SELECT place, data FROM (VALUES {rows}) CROSS JOIN bodies ON place >= column1 AND place < column2", 2)
SELECT_KEYS = Bulk(
    "SELECT key_id, wrapped FROM (VALUES {rows}) CROSS JOIN keys ON organisation = column1 AND key_id = column2", 2
)


def select_waiting(db: sqlite3.Connection, *, organisation: int, after: int, limit: int, max_bytes: int) -> Pulled:
    """Messages after a position that nobody acknowledged."""
    with snapshot(db):
        (position,) = db.execute(SELECT_POSITION, (organisation,)).fetchone() or (0,)
        return _select(db, organisation, max(after, position), limit, max_bytes)


def select_kept(db: sqlite3.Connection, *, organisation: int, after: int, limit: int, max_bytes: int) -> Pulled:
    """Messages after a position, acknowledged or not."""
    with snapshot(db):
        return _select(db, organisation, after, limit, max_bytes)


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Let several statements see the same state: between two of them a message could go."""
    db.execute("BEGIN")
    yield
    db.execute("COMMIT")


def _select(db: sqlite3.Connection, organisation: int, after: int, limit: int, max_bytes: int) -> Pulled:
    rows = db.execute(SELECT_MESSAGES, (organisation, after, max(1, limit) + 1)).fetchall()
    chosen = _cut(rows, max(1, limit), max_bytes)
    bodies = _bodies(db, [row[6] for row in chosen])
    messages = tuple(
        Sealed(seq=seq, id=id_, received_at=at, key_id=key_id, digest=digest, data=bodies.get(body, b""))
        for seq, id_, at, key_id, digest, _, body in chosen
    )
    wanted = sorted({message.key_id for message in messages})
    keys = {row[0]: row[1] for row in SELECT_KEYS.read(db, [(organisation, key_id) for key_id in wanted])}
    return Pulled(messages=messages, keys=keys, more=len(rows) > len(chosen))


def _cut(rows: Sequence[Row], limit: int, max_bytes: int) -> list[Row]:
    chosen: list[Row] = []
    size = 0
    for row in rows[:limit]:
        size += row[5]
        if chosen and size > max_bytes:
            break
        chosen.append(row)
    return chosen


def _bodies(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    parts: dict[int, list[tuple[int, bytes]]] = {}
    for place, data in SELECT_BODIES.read(db, [(number << 16, (number + 1) << 16) for number in numbers]):
        parts.setdefault(place >> 16, []).append((place, data))
    return {
        number: found[0][1] if len(found) == 1 else b"".join(data for _, data in sorted(found))
        for number, found in parts.items()
    }


OLDEST = """
(SELECT received_at FROM messages m WHERE m.organisation = l.organisation AND m.seq > l.acknowledged ORDER BY m.seq LIMIT 1)
"""
SELECT_BACKLOG = f"SELECT events, bytes, coalesce({OLDEST}, 0) FROM lanes l WHERE organisation = ?"  # noqa: S608 - joins constants
SELECT_BACKLOGS = f"SELECT organisation, events, bytes, coalesce({OLDEST}, 0) FROM lanes l WHERE events > 0"  # noqa: S608 - joins constants


def select_backlog(db: sqlite3.Connection, *, organisation: int) -> Backlog:
    """What waits for one organisation."""
    row = db.execute(SELECT_BACKLOG, (organisation,)).fetchone()
    return Backlog(events=row[0], bytes=row[1], oldest=row[2]) if row else Backlog()


def select_backlogs(db: sqlite3.Connection) -> dict[int, Backlog]:
    """What waits, by organisation."""
    return {
        organisation: Backlog(events=events, bytes=size, oldest=oldest)
        for organisation, events, size, oldest in db.execute(SELECT_BACKLOGS)
    }

"""Events and deliveries as rows of SQLite, and back."""

import sqlite3
from typing import Any

from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import ArrivedBy, Event, Headers, Verdict

Row = tuple[Any, ...]

EVENT_COLUMNS = (
    "e.id, e.touchpoint, e.received_at, e.arrived_by, e.verdict, e.reason, e.method, e.target, e.headers, e.remote, "
    "e.event_type, e.dedup_key, e.reference, e.body_bytes, e.body_hash, e.id_signed, e.test, e.hop"
)
EVENT_WIDTH = 18
DELIVERY_COLUMNS = "d.seq, d.id, d.touchpoint, d.destination, d.run, d.state, d.order_key, d.due_at, d.attempts, d.tries"

_ARRIVED_BY = {member.value: member for member in ArrivedBy}
_VERDICTS = {member.value: member for member in Verdict}
_STATES = {member.value: member for member in DeliveryState}


def headers_blob(headers: Headers) -> bytes:
    """Headers as `name: value` lines. Raises ValueError for one that holds a line break, which no HTTP parser lets through."""
    blob = b"\r\n".join([b": ".join(header) for header in headers])
    if blob.count(b"\r\n") != max(len(headers) - 1, 0):
        raise ValueError("a header holds a line break")
    return blob


def headers_from_blob(blob: bytes) -> Headers:
    """The headers that `headers_blob` was given."""
    if not blob:
        return ()
    return tuple((name, value) for name, _, value in [line.partition(b": ") for line in blob.split(b"\r\n")])


def text(value: str) -> str:
    """What SQLite can store of a text: half a surrogate pair, which JSON lets a sender write, becomes its escape."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def text_or_none(value: str | None) -> str | None:
    """The same of a text that may be missing."""
    return None if value is None else text(value)


def event_row(seq: int, event: Event) -> Row:
    """An event in the order of `seq` and EVENT_COLUMNS."""
    return (
        seq,
        event.id,
        event.touchpoint,
        event.received_at,
        event.arrived_by.value,
        event.verdict.value,
        event.reason,
        event.method,
        event.target,
        headers_blob(event.headers),
        event.remote,
        text(event.event_type),
        text_or_none(event.dedup_key),
        text_or_none(event.reference),
        event.body_bytes,
        event.body_hash,
        1 if event.id_signed else 0,
        1 if event.test else 0,
        event.hop,
    )


def event_from_row(row: Row) -> Event:
    """An event from a row of EVENT_COLUMNS."""
    return Event(
        id=row[0],
        touchpoint=row[1],
        received_at=row[2],
        arrived_by=_ARRIVED_BY[row[3]],
        verdict=_VERDICTS[row[4]],
        reason=row[5],
        method=row[6],
        target=row[7],
        headers=headers_from_blob(row[8]),
        remote=row[9],
        event_type=row[10],
        dedup_key=row[11],
        reference=row[12],
        body_bytes=row[13],
        body_hash=row[14],
        id_signed=row[15] == 1,
        test=row[16] == 1,
        hop=row[17],
    )


def delivery_from_row(row: Row, event_id: str) -> Delivery:
    """A delivery from a row of DELIVERY_COLUMNS."""
    return Delivery(
        id=row[1],
        event_id=event_id,
        touchpoint=row[2],
        destination=row[3],
        run=row[4],
        state=_STATES[row[5]],
        order_key=row[6],
        due_at=row[7],
        attempts=row[8],
        tries=row[9],
    )


def event_id_of(any_id: str) -> str:
    """The event's id in an event's or a delivery's id."""
    event_id, divider, _ = any_id.rpartition("-")
    return event_id if divider else any_id


PART_BYTES = 1024 * 1024


def body_rows(seq: int, body: bytes) -> list[tuple[int, bytes]]:
    """A body in parts, each with its place; an empty body has none."""
    if len(body) <= PART_BYTES:
        return [(seq << 16, body)] if body else []
    return [(seq << 16 | part, body[at : at + PART_BYTES]) for part, at in enumerate(range(0, len(body), PART_BYTES))]


SELECT_BODY = "SELECT data FROM bodies WHERE place >= ? AND place < ? ORDER BY place"


def select_body(db: sqlite3.Connection, seq: int) -> bytes:
    """A whole body; empty as well when it was pruned."""
    parts = db.execute(SELECT_BODY, (seq << 16, (seq + 1) << 16)).fetchall()
    return parts[0][0] if len(parts) == 1 else b"".join([data for (data,) in parts])

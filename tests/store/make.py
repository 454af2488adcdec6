"""Values the store's tests are made of."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from store.outbox import Plan, Settlement
from store.sqlite.counters import Key, counted
from store.sqlite.database import AiosqliteDatabase, Open
from store.sqlite.events_file import EventsFile
from touchpoints.attempt import Attempt, Blame, Delivered, Failed
from touchpoints.delivery import Delivery, DeliveryState, delivery_id
from touchpoints.event import Arrival, ArrivedBy, Event, Verdict
from touchpoints.moment import SECOND, Micros

NOW: Micros = 1_800_000_000 * SECOND


def event(number: int, body: bytes = b"{}", **fields: Any) -> Event:
    """An event whose id is made of its number."""
    values: dict[str, Any] = {
        "id": f"{number:026d}",
        "touchpoint": 1,
        "received_at": NOW + number,
        "arrived_by": ArrivedBy.DIRECT,
        "verdict": Verdict.ACCEPTED,
        "method": "POST",
        "target": "/hooks/orders?x=1",
        "headers": ((b"content-type", b"application/json"), (b"x-a", b"1"), (b"x-a", b" 2: 3"), (b"x-empty", b"")),
        "remote": "203.0.113.7",
        "body_bytes": len(body),
        "body_hash": hashlib.sha256(body).digest(),
    }
    return Event(**(values | fields))


def arrival(number: int, body: bytes = b"{}", **fields: Any) -> Arrival:
    """An event with its body."""
    return Arrival(event=event(number, body, **fields), body=body)


def delivery(of: Event, destination: int = 1, **fields: Any) -> Delivery:
    """A delivery of an event, due at once."""
    values: dict[str, Any] = {
        "id": delivery_id(of.id, f"destination {destination}", fields.get("run", 1)),
        "event_id": of.id,
        "touchpoint": of.touchpoint,
        "destination": destination,
        "due_at": of.received_at,
    }
    return Delivery(**(values | fields))


def delivered(seq: int, number: int = 1, at: Micros = NOW) -> Settlement:
    """A delivery that arrived."""
    attempt = Attempt(number=number, started_at=at, duration=1500, outcome=Delivered(http_status=200, answer=b"ok"))
    return Settlement(seq=seq, attempt=attempt, state=DeliveryState.DELIVERED)


def failed(seq: int, number: int = 1, *, due_at: Micros = 0, state: DeliveryState = DeliveryState.PENDING) -> Settlement:
    """A delivery that did not arrive."""
    outcome = Failed(blame=Blame.EVENT, code="http_status", error="It answered 500.", http_status=500)
    return Settlement(
        seq=seq, attempt=Attempt(number=number, started_at=NOW, duration=9, outcome=outcome), state=state, due_at=due_at
    )


RECOUNT = """
SELECT 'inbox', 0, count(*) FROM inbox HAVING count(*) > 0
UNION ALL
SELECT state, destination, count(*) FROM deliveries WHERE state IN ('pending', 'held', 'given_up') GROUP BY state, destination
UNION ALL
SELECT 'refused', touchpoint, count(*) FROM events
WHERE verdict = 'refused' AND body_kept = 1 AND instr(flags, 'dismissed') = 0 GROUP BY touchpoint
"""


def recounted(db: sqlite3.Connection) -> dict[Key, int]:
    """What the counters must be, by counting."""
    return {(state, whose): n for state, whose, n in db.execute(RECOUNT)}


def _both_counts(db: sqlite3.Connection) -> tuple[dict[Key, int], dict[Key, int]]:
    """Of one moment: what was under way when a test ended may still be committed."""
    db.execute("BEGIN")
    try:
        return counted(db), recounted(db)
    finally:
        db.execute("COMMIT")


@asynccontextmanager
async def opened(path: Path, open_database: Open = AiosqliteDatabase.open, now: Micros = NOW) -> AsyncIterator[EventsFile]:
    """An events file; whatever a test did to it, its counters must then still be true."""
    file = await EventsFile.open(path, open_database, now=now, readers=2)
    try:
        yield file
        if file.state == "ready":
            kept, true = await file._readers.run(_both_counts)
            assert kept == true
    finally:
        await file.close()


async def put_and_plan(
    file: EventsFile, arrivals: Sequence[Arrival], destinations: Sequence[int] = (1,), **fields: Any
) -> None:
    """Store events and plan a delivery to each destination."""
    for each in arrivals:
        await file.inbox.put(each)
    plans = [
        Plan(seq=waiting.seq, deliveries=tuple(delivery(waiting.event, d, **fields) for d in destinations))
        for waiting in await file.inbox.take(limit=len(arrivals))
    ]
    await file.outbox.plan(plans)


async def settle_all(file: EventsFile, destination: int = 1, at: Micros = NOW) -> int:
    """Deliver everything that is due; how many that were."""
    jobs = await file.outbox.claim(destination, now=2**62, limit=10_000, max_bytes=2**40)
    await file.outbox.settle([delivered(job.seq, job.delivery.attempts + 1, at) for job in jobs])
    return len(jobs)


def query(path: Path, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What the file itself holds, read by a connection of the test's own."""
    db = sqlite3.connect(path)
    try:
        return db.execute(sql, parameters).fetchall()
    finally:
        db.close()

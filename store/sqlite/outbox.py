"""The outbox in SQLite: planning, claiming and settling deliveries."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from store.outbox import Next, Plan, Settlement
from store.sqlite import counters
from store.sqlite.claims import Claim, claim_key
from store.sqlite.connections import Readers
from store.sqlite.health import select_health, upsert_health
from store.sqlite.rows import DELIVERY_COLUMNS, EVENT_COLUMNS, delivery_from_row, event_from_row, select_body
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.settlement import settle
from store.sqlite.writer import Writer
from touchpoints.delivery import Delivery, Job
from touchpoints.moment import Micros
from touchpoints.retry import Health


class SqliteOutbox:
    """See store.outbox.Outbox."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers) -> None:
        self._writer = writer
        self._readers = readers
        self._plan = partial(move_plans, numbers=numbers)

    async def plan(self, plans: Sequence[Plan]) -> None:
        """See Outbox."""
        await self._writer.submit(self._plan, plans)

    async def claim(
        self, destination: int, *, now: Micros, limit: int, max_bytes: int, skip: Collection[int] = ()
    ) -> Sequence[Job]:
        """See Outbox."""
        work = partial(select_jobs, destination=destination, now=now, limit=limit, max_bytes=max_bytes, skip=frozenset(skip))
        return await self._readers.run(work)

    async def next_due(self, destination: int, *, skip: Collection[int] = ()) -> Next | None:
        """See Outbox."""
        return await self._readers.run(partial(select_next_due, destination=destination, skip=frozenset(skip)))

    async def settle(self, settlements: Sequence[Settlement], health: Health | None = None) -> None:
        """See Outbox."""
        await self._writer.submit(record_outcomes, (settlements, health))

    async def health(self) -> Sequence[Health]:
        """See Outbox."""
        return await self._readers.run(select_health)


def record_outcomes(db: sqlite3.Connection, items: list[tuple[Sequence[Settlement], Health | None]]) -> list[None]:
    """Settle everything, then keep the last health of each destination."""
    settle(db, [settlement for settlements, _ in items for settlement in settlements])
    upsert_health(db, [health for _, health in items if health is not None])
    return [None] * len(items)


DELETE_WAITING = "DELETE FROM inbox WHERE seq = ?"
UPDATE_VERDICT = "UPDATE events SET verdict = ? WHERE seq = ?"
UPDATE_DUPLICATE = "UPDATE events SET verdict = 'duplicate', duplicate_of = ? WHERE seq = ?"
UPDATE_FLAGGED = "UPDATE events SET flags = trim(flags || ' same_id_other_body') WHERE seq = ?"


def move_plans(db: sqlite3.Connection, items: list[Sequence[Plan]], *, numbers: Numbers) -> list[None]:
    """Move planned events from inbox to outbox; those that no longer wait are left as they are."""
    moved, deliveries = 0, []
    for plan in (plan for plans in items for plan in plans):
        if db.execute(DELETE_WAITING, (plan.seq,)).rowcount:
            moved += 1
            deliveries += _decide(db, plan)
    counters.add(db, {("inbox", 0): -moved})
    insert_deliveries(db, deliveries, numbers)
    return [None] * len(items)


def _decide(db: sqlite3.Connection, plan: Plan) -> list[tuple[int, Delivery]]:
    """Claim the plan's key, and say which deliveries go out."""
    if plan.dedup_key is not None:
        match claim_key(db, plan.seq, plan.dedup_key, since=plan.dedup_since, body_hash=plan.dedup_hash):
            case Claim(duplicate_of=int(original)):
                db.execute(UPDATE_DUPLICATE, (original, plan.seq))
                return []
            case Claim(other_body=True):
                db.execute(UPDATE_FLAGGED, (plan.seq,))
    if plan.filtered:
        db.execute(UPDATE_VERDICT, ("filtered", plan.seq))
    return [(plan.seq, delivery) for delivery in plan.deliveries]


INSERT_DELIVERY = """
INSERT INTO deliveries (seq, event_seq, id, touchpoint, destination, run, state, order_key, due_at, attempts, tries)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def insert_deliveries(db: sqlite3.Connection, deliveries: Sequence[tuple[int, Delivery]], numbers: Numbers) -> None:
    """Insert (event seq, delivery) pairs. Raises ValueError for one with an order key: no lane claims those yet."""
    if any(delivery.order_key for _, delivery in deliveries):
        raise ValueError("a delivery has an order key")
    rows = [
        (seq, event_seq, d.id, d.touchpoint, d.destination, d.run, d.state.value, d.order_key, d.due_at, d.attempts, d.tries)
        for seq, (event_seq, d) in zip(numbers.take(len(deliveries)), deliveries, strict=True)
    ]
    db.executemany(INSERT_DELIVERY, rows)
    counters.add(db, Counter((delivery.state.value, delivery.destination) for _, delivery in deliveries))


SELECT_DUE = """
SELECT seq, due_at FROM deliveries INDEXED BY deliveries_pending
WHERE state = 'pending' AND destination = ? AND order_key = '' AND due_at <= ?
ORDER BY due_at, seq LIMIT ?
"""
SELECT_JOB = f"""
SELECT {EVENT_COLUMNS}, e.seq, {DELIVERY_COLUMNS}
FROM deliveries d CROSS JOIN events e ON e.seq = d.event_seq WHERE d.seq = ?
"""  # noqa: S608 - joins constants; values are bound
SELECT_JOB_BYTES = """
SELECT e.body_bytes FROM deliveries d CROSS JOIN events e ON e.seq = d.event_seq WHERE d.seq = ?
"""


def select_jobs(
    db: sqlite3.Connection, *, destination: int, now: Micros, limit: int, max_bytes: int, skip: frozenset[int]
) -> list[Job]:
    """Due deliveries of one destination with their events and bodies."""
    due = db.execute(SELECT_DUE, (destination, now, limit + len(skip))).fetchall()
    jobs: list[Job] = []
    for seq in [seq for seq, _ in due if seq not in skip][:limit]:
        (size,) = db.execute(SELECT_JOB_BYTES, (seq,)).fetchone()
        max_bytes -= size
        if max_bytes < 0:
            break
        jobs.append(_job(db, seq))
    return jobs


def _job(db: sqlite3.Connection, seq: int) -> Job:
    row = db.execute(SELECT_JOB, (seq,)).fetchone()
    event = event_from_row(row)
    body = select_body(db, row[18])
    if len(body) != event.body_bytes:  # never send what isn't the whole body
        raise sqlite3.DatabaseError(f"the body of {event.id} is incomplete")
    return Job(seq=seq, delivery=delivery_from_row(row[19:], event.id), event=event, body=body)


FOREVER = 2**63 - 1


def select_next_due(db: sqlite3.Connection, *, destination: int, skip: frozenset[int]) -> Next | None:
    """The earliest pending delivery outside `skip`."""
    for seq, due_at in db.execute(SELECT_DUE, (destination, FOREVER, 1 + len(skip))):
        if seq not in skip:
            (size,) = db.execute(SELECT_JOB_BYTES, (seq,)).fetchone()
            return Next(due_at=due_at, body_bytes=size)
    return None

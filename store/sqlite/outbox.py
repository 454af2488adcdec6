"""The outbox in SQLite: planning, claiming and settling deliveries."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from store.outbox import Next, Plan, Settlement
from store.sqlite import counters
from store.sqlite.bulk import Bulk
from store.sqlite.claims import claim_keys
from store.sqlite.connections import Readers
from store.sqlite.health import select_health, upsert_health
from store.sqlite.items import put_items
from store.sqlite.recent import Recent
from store.sqlite.rows import DELIVERY_COLUMNS, EVENT_COLUMNS, EVENT_WIDTH, Row, delivery_from_row, event_from_row, select_body
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.settlement import settle
from store.sqlite.writer import Writer
from touchpoints.delivery import Delivery, Job
from touchpoints.moment import Micros
from touchpoints.retry import Health


class SqliteOutbox:
    """See store.outbox.Outbox."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers, events: Numbers, recent: Recent) -> None:
        """`numbers` are those of deliveries, `events` those of events."""
        self._writer = writer
        self._readers = readers
        self._recent = recent
        self._plan = partial(move_plans, numbers=numbers, events=events)
        writer.watch(self._plan, self._moved)

    async def plan(self, plans: Sequence[Plan]) -> None:
        """See Outbox."""
        size = sum(len(item.arrival.body) + 2048 for plan in plans for item in plan.items or ())
        await self._writer.submit(self._plan, plans, size)

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

    def _moved(self, items: Sequence[Sequence[Plan]], results: Sequence[object] | None) -> None:
        for plans, result in zip(items, results or (), strict=results is not None):
            if result is None:
                self._recent.remove(plan.seq for plan in plans)


def record_outcomes(db: sqlite3.Connection, items: list[tuple[Sequence[Settlement], Health | None]]) -> list[None]:
    """Settle everything, then keep the last health of each destination."""
    settle(db, [settlement for settlements, _ in items for settlement in settlements])
    upsert_health(db, [health for _, health in items if health is not None])
    return [None] * len(items)


SELECT_STILL_WAITING = "SELECT json_group_array(seq) FROM inbox WHERE seq IN (SELECT value FROM json_each(?))"
DELETE_WAITING = "DELETE FROM inbox WHERE seq IN (SELECT value FROM json_each(?))"
UPDATE_FILTERED = "UPDATE events SET verdict = 'filtered' WHERE seq IN (SELECT value FROM json_each(?))"
UPDATE_DUPLICATE = "UPDATE events SET verdict = 'duplicate', duplicate_of = ? WHERE seq = ?"
UPDATE_FLAGGED = "UPDATE events SET flags = trim(flags || ' same_id_other_body') WHERE seq = ?"


def move_plans(db: sqlite3.Connection, items: list[Sequence[Plan]], *, numbers: Numbers, events: Numbers) -> list[None]:
    """Move planned events from inbox to outbox; those that no longer wait are left as they are."""
    plans = _taken(db, [plan for plans in items for plan in plans])
    if any(plan.items is not None for plan in plans):
        plans = put_items(db, plans, events)
    claims = claim_keys(db, plans)
    duplicates = {seq: claim.duplicate_of for seq, claim in claims.items() if claim.duplicate_of is not None}
    db.executemany(UPDATE_DUPLICATE, [(original, seq) for seq, original in duplicates.items()])
    db.executemany(UPDATE_FLAGGED, [(seq,) for seq, claim in claims.items() if claim.other_body])
    new = [plan for plan in plans if plan.seq not in duplicates]
    if filtered := [plan.seq for plan in new if plan.filtered]:
        db.execute(UPDATE_FILTERED, (json.dumps(filtered),))
    insert_deliveries(db, [(plan.seq, delivery) for plan in new for delivery in plan.deliveries], numbers)
    return [None] * len(items)


def _taken(db: sqlite3.Connection, plans: list[Plan]) -> list[Plan]:
    """Take the plans' events out of the inbox; the first plan of each that was in there."""
    first = {plan.seq: plan for plan in reversed(plans)}
    seqs = json.dumps(list(first))
    (waiting,) = db.execute(SELECT_STILL_WAITING, (seqs,)).fetchone()
    db.execute(DELETE_WAITING, (seqs,))
    still = set(json.loads(waiting))
    counters.add(db, {("inbox", 0): -len(still)})
    return [plan for seq, plan in reversed(first.items()) if seq in still]


INSERT_DELIVERIES = Bulk(
    """
INSERT INTO deliveries (seq, event_seq, id, touchpoint, destination, run, state, order_key, due_at, attempts, tries)
VALUES {rows}
""",
    11,
)


def insert_deliveries(db: sqlite3.Connection, deliveries: Sequence[tuple[int, Delivery]], numbers: Numbers) -> None:
    """Insert (event seq, delivery) pairs. Raises ValueError for one with an order key: no lane claims those yet."""
    if any(delivery.order_key for _, delivery in deliveries):
        raise ValueError("a delivery has an order key")
    rows = [
        (seq, event_seq, d.id, d.touchpoint, d.destination, d.run, d.state.value, d.order_key, d.due_at, d.attempts, d.tries)
        for seq, (event_seq, d) in zip(numbers.take(len(deliveries)), deliveries, strict=True)
    ]
    INSERT_DELIVERIES.change(db, rows)
    counters.add(db, Counter((delivery.state.value, delivery.destination) for _, delivery in deliveries))


SELECT_DUE = """
SELECT seq, due_at FROM deliveries INDEXED BY deliveries_pending
WHERE state = 'pending' AND destination = ? AND order_key = '' AND due_at <= ?
ORDER BY due_at, seq LIMIT ?
"""
SELECT_DUE_SIZES = """
SELECT d.seq, e.body_bytes FROM deliveries d INDEXED BY deliveries_pending CROSS JOIN events e ON e.seq = d.event_seq
WHERE d.state = 'pending' AND d.destination = ? AND d.order_key = '' AND d.due_at <= ?
ORDER BY d.due_at, d.seq LIMIT ?
"""
SELECT_JOBS = f"""
SELECT {EVENT_COLUMNS}, e.seq, b.data, {DELIVERY_COLUMNS} FROM json_each(?) j CROSS JOIN deliveries d ON d.seq = j.value
CROSS JOIN events e ON e.seq = d.event_seq LEFT JOIN bodies b ON b.place = e.seq << 16
"""  # noqa: S608 - joins constants; values are bound
SELECT_JOB_BYTES = """
SELECT e.body_bytes FROM deliveries d CROSS JOIN events e ON e.seq = d.event_seq WHERE d.seq = ?
"""


def select_jobs(
    db: sqlite3.Connection, *, destination: int, now: Micros, limit: int, max_bytes: int, skip: frozenset[int]
) -> list[Job]:
    """Due deliveries of one destination with their events and bodies."""
    chosen: list[int] = []
    for seq, size in db.execute(SELECT_DUE_SIZES, (destination, now, limit + len(skip))).fetchall():
        if seq in skip:
            continue
        max_bytes -= size
        if max_bytes < 0 or len(chosen) == limit:
            break
        chosen.append(seq)
    return [_job(db, row) for row in db.execute(SELECT_JOBS, (json.dumps(chosen),)).fetchall()]


def _job(db: sqlite3.Connection, row: Row) -> Job:
    event = event_from_row(row)
    seq, body = row[EVENT_WIDTH : EVENT_WIDTH + 2]
    if body is None or len(body) != event.body_bytes:
        body = select_body(db, seq)
    delivery = row[EVENT_WIDTH + 2 :]
    return Job(seq=delivery[0], delivery=delivery_from_row(delivery, event.id), event=event, body=body)


FOREVER = 2**63 - 1


def select_next_due(db: sqlite3.Connection, *, destination: int, skip: frozenset[int]) -> Next | None:
    """The earliest pending delivery outside `skip`."""
    for seq, due_at in db.execute(SELECT_DUE, (destination, FOREVER, 1 + len(skip))):
        if seq not in skip:
            (size,) = db.execute(SELECT_JOB_BYTES, (seq,)).fetchone()
            return Next(due_at=due_at, body_bytes=size)
    return None

"""Recording attempts and moving deliveries to their next state."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from store.outbox import Settlement
from store.sqlite import counters
from store.sqlite.rows import Row, text
from touchpoints.attempt import Delivered
from touchpoints.delivery import DeliveryState

INSERT_ATTEMPT = """
INSERT INTO attempts (place, started_at, duration, outcome, blame, http_status, error_code, error, answer, next_attempt_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place) DO NOTHING
"""
UPDATE_PENDING = """
UPDATE deliveries SET state = ?, due_at = ?, attempts = ?, tries = tries + ?, settled_at = ?
WHERE seq = ? AND state = 'pending' AND attempts < ? RETURNING destination
"""
_SETTLED = frozenset({DeliveryState.DELIVERED, DeliveryState.DISMISSED})


def settle(db: sqlite3.Connection, settlements: Sequence[Settlement]) -> None:
    """Record every attempt, and each delivery's next state. An attempt that is known already changes nothing."""
    db.executemany(INSERT_ATTEMPT, [_attempt_row(settlement) for settlement in settlements])
    changes: Counter[counters.Key] = Counter()
    for settlement in settlements:
        number, state = settlement.attempt.number, settlement.state
        settled_at = _ended_at(settlement) if state in _SETTLED else None
        parameters = (state.value, settlement.due_at, number, int(settlement.counts), settled_at, settlement.seq, number)
        row = db.execute(UPDATE_PENDING, parameters).fetchone()
        if row is None:
            _settle_moved(db, settlement, changes)
        elif state is not DeliveryState.PENDING:
            changes["pending", row[0]] -= 1
            changes[state.value, row[0]] += 1
    counters.add(db, {key: n for key, n in changes.items() if key[0] not in _SETTLED})


def _ended_at(settlement: Settlement) -> int:
    return settlement.attempt.started_at + settlement.attempt.duration


def _attempt_row(settlement: Settlement) -> Row:
    attempt, outcome = settlement.attempt, settlement.attempt.outcome
    place = settlement.seq << 16 | min(attempt.number, 0xFFFF)
    next_at = settlement.due_at if settlement.state is DeliveryState.PENDING else None
    if isinstance(outcome, Delivered):
        return (
            place,
            attempt.started_at,
            attempt.duration,
            "delivered",
            None,
            outcome.http_status,
            "",
            "",
            outcome.answer,
            next_at,
        )
    return (
        place,
        attempt.started_at,
        attempt.duration,
        "failed",
        outcome.blame.value,
        outcome.http_status,
        outcome.code,
        text(outcome.error),
        outcome.answer,
        next_at,
    )


SELECT_STATE = "SELECT state, destination, attempts FROM deliveries WHERE seq = ?"
UPDATE_MOVED = (
    "UPDATE deliveries SET state = ?, attempts = ?, tries = tries + ?, settled_at = coalesce(?, settled_at) WHERE seq = ?"
)


def _settle_moved(db: sqlite3.Connection, settlement: Settlement, changes: Counter[counters.Key]) -> None:
    """Settle what a person moved while the attempt ran: the person's state stays, except that what arrived is delivered."""
    row = db.execute(SELECT_STATE, (settlement.seq,)).fetchone()
    if row is None or row[2] >= settlement.attempt.number:
        return
    state, destination, _ = row
    arrived = state in ("held", "given_up") and settlement.state is DeliveryState.DELIVERED
    settled_at = _ended_at(settlement) if arrived else None
    new = DeliveryState.DELIVERED.value if arrived else state
    db.execute(UPDATE_MOVED, (new, settlement.attempt.number, int(settlement.counts), settled_at, settlement.seq))
    if arrived:
        changes[state, destination] -= 1

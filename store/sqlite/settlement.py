"""Recording attempts and moving deliveries to their next state."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from store.outbox import Settlement
from store.sqlite import counters
from store.sqlite.bulk import Bulk
from store.sqlite.rows import Row, text
from touchpoints.attempt import Delivered
from touchpoints.delivery import DeliveryState

INSERT_ATTEMPTS = Bulk(
    """
INSERT INTO attempts (place, started_at, duration, outcome, blame, http_status, error_code, error, answer, next_attempt_at)
VALUES {rows} ON CONFLICT (place) DO NOTHING
""",
    10,
)
SELECT_STATES = """
SELECT json_group_array(json_array(seq, destination, state, due_at, attempts, tries, settled_at))
FROM deliveries WHERE seq IN (SELECT value FROM json_each(?))
"""
UPDATE_STATES = Bulk(
    """
UPDATE deliveries SET state = v.column2, due_at = v.column3, attempts = v.column4, tries = v.column5, settled_at = v.column6
FROM (VALUES {rows}) v WHERE deliveries.seq = v.column1
""",
    6,
)
_SETTLED = frozenset({DeliveryState.DELIVERED, DeliveryState.DISMISSED})


@dataclass(slots=True)
class _Standing:
    """Where a delivery stands."""

    seq: int
    destination: int
    state: str
    due_at: int
    attempts: int
    tries: int
    settled_at: int | None


def settle(db: sqlite3.Connection, settlements: Sequence[Settlement]) -> None:
    """Record every attempt, and each delivery's next state. An attempt that is known already changes nothing."""
    if not settlements:
        return
    INSERT_ATTEMPTS.change(db, [_attempt_row(settlement) for settlement in settlements])
    seqs = json.dumps([settlement.seq for settlement in settlements])
    (found,) = db.execute(SELECT_STATES, (seqs,)).fetchone()
    standings = {row[0]: _Standing(*row) for row in json.loads(found)}
    changed: dict[int, _Standing] = {}
    changes: Counter[counters.Key] = Counter()
    for settlement in settlements:
        one = standings.get(settlement.seq)
        if one is None or one.attempts >= settlement.attempt.number:
            continue
        changes[one.state, one.destination] -= 1
        _advance(one, settlement)
        changes[one.state, one.destination] += 1
        changed[one.seq] = one
    UPDATE_STATES.change(
        db, [(one.seq, one.state, one.due_at, one.attempts, one.tries, one.settled_at) for one in changed.values()]
    )
    counters.add(db, {key: n for key, n in changes.items() if key[0] not in _SETTLED})


def _advance(one: _Standing, settlement: Settlement) -> None:
    """What a person moved while the attempt ran keeps the person's state, except that what arrived is delivered."""
    arrived = one.state in ("held", "given_up") and settlement.state is DeliveryState.DELIVERED
    if one.state == "pending":
        one.due_at = settlement.due_at
    if one.state == "pending" or arrived:
        one.state = settlement.state.value
        one.settled_at = _ended_at(settlement) if settlement.state in _SETTLED else None
    one.attempts = settlement.attempt.number
    one.tries += settlement.counts


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

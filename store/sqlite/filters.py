"""A filter as SQL conditions over `events e` and `deliveries d`."""

import json
from dataclasses import dataclass
from typing import Any

from store.log import Filter
from store.sqlite.rows import event_id_of


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions joined by AND, with their parameters."""

    sql: str
    parameters: tuple[Any, ...]


_Part = tuple[str, tuple[Any, ...]]

DELIVERY_STATES = frozenset({"pending", "held", "delivered", "given_up", "dismissed"})
VERDICTS = frozenset({"refused", "duplicate", "filtered", "split"})

IN_IDS = "IN (SELECT value FROM json_each(?))"
IN_INBOX = "EXISTS (SELECT 1 FROM inbox i WHERE i.seq = e.seq)"
IN_OPEN = """
e.seq IN (SELECT o.event_seq FROM deliveries o INDEXED BY deliveries_open
    WHERE o.state = ? AND o.state != 'delivered' AND o.event_seq >= ? AND o.event_seq < ?)
"""
# Joined by OR with IN_INBOX this would be asked of every event.
IN_OPEN_OR_INBOX = """
e.seq IN (SELECT o.event_seq FROM deliveries o INDEXED BY deliveries_open
    WHERE o.state = ? AND o.state != 'delivered' AND o.event_seq >= ? AND o.event_seq < ?
    UNION ALL SELECT i.seq FROM inbox i WHERE i.seq >= ? AND i.seq < ?)
"""
EXISTS_STATE = "EXISTS (SELECT 1 FROM deliveries o WHERE o.event_seq = e.seq AND o.state = ?)"
EXISTS_DESTINATION = "EXISTS (SELECT 1 FROM deliveries o WHERE o.event_seq = e.seq AND o.destination = ?)"


def is_sparse(which: Filter) -> bool:
    """Whether an index leads straight to the few rows meant, so that no walk in slices is needed."""
    return bool(which.ids) or which.reference is not None


def of_events(which: Filter, low: int, high: int) -> Where:
    """Conditions on `e`: events with `low <= seq < high` that the filter means, or that hold a delivery it may mean."""
    parts: list[_Part] = [("e.seq >= ? AND e.seq < ?", (low, high))]
    if which.ids:
        parts.append((f"e.id {IN_IDS}", (json.dumps([event_id_of(an_id) for an_id in which.ids]),)))
    elif not which.tests:
        parts.append(("e.test = 0", ()))
    for sql, value in (
        ("e.reference = ?", which.reference),
        ("e.dedup_key = ?", which.dedup_key),
        ("e.received_at >= ?", which.since),
        ("e.received_at < ?", which.until),
        ("e.touchpoint = ?", which.touchpoint),
        ("e.seq > ?", which.above),
        (EXISTS_DESTINATION, which.destination),
    ):
        if value is not None:
            parts.append((sql, (value,)))
    if which.state is not None:
        parts.append(_state_of_event(which.state, low, high, sparse=is_sparse(which)))
    return _joined(parts)


def _state_of_event(state: str, low: int, high: int, *, sparse: bool) -> _Part:
    if state in VERDICTS:
        return "e.verdict = ? AND e.verdict != 'accepted'", (state,)
    if sparse or state == "delivered":
        return (f"({EXISTS_STATE} OR {IN_INBOX})", (state,)) if state == "pending" else (EXISTS_STATE, (state,))
    if state == "pending":
        return IN_OPEN_OR_INBOX, (state, low, high, low, high)
    return IN_OPEN, (state, low, high)


def of_rows(which: Filter) -> Where:
    """Conditions on `d` (which may be NULL) within the events of `of_events`; `+` keeps the events the outer loop."""
    parts: list[_Part] = []
    if any(event_id_of(an_id) != an_id for an_id in which.ids):
        ids = json.dumps(which.ids)
        parts.append((f"(+d.id {IN_IDS} OR e.id {IN_IDS})", (ids, ids)))
    if which.destination is not None:
        parts.append(("+d.destination = ?", (which.destination,)))
    if which.state == "pending":
        parts.append((f"(+d.state = 'pending' OR (d.seq IS NULL AND {IN_INBOX}))", ()))
    elif which.state in DELIVERY_STATES:
        parts.append(("+d.state = ?", (which.state,)))
    return _joined(parts)


def _joined(parts: list[_Part]) -> Where:
    sql = " AND ".join(sql for sql, _ in parts) or "TRUE"
    return Where(sql, tuple(value for _, values in parts for value in values))

"""Dedup keys that verified events have claimed."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from store.outbox import Plan
from store.sqlite.bulk import Bulk
from store.sqlite.rows import text
from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True)
class Claim:
    """What claiming a key came to: neither field set is a plain first claim."""

    duplicate_of: int | None = None  # seq of the event that has the key
    other_body: bool = False  # the key is known with another body, and isn't covered by the signature


SELECT_EVENT = "SELECT touchpoint, received_at FROM events WHERE seq = ?"
SELECT_CLAIMS = (
    "SELECT event_seq, body_hash FROM claims WHERE touchpoint = ? AND dedup_key = ? AND at >= ? ORDER BY at, event_seq"
)
UPSERT_CLAIM = """
INSERT INTO claims (touchpoint, dedup_key, body_hash, event_seq, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (touchpoint, dedup_key, body_hash) DO UPDATE SET event_seq = excluded.event_seq, at = excluded.at
"""


def claim_key(db: sqlite3.Connection, seq: int, key: str, *, since: Micros, body_hash: bytes | None) -> Claim:
    """Claim a key for an event, unless another event has claimed it at or after `since`.

    With a `body_hash` (a key that the signature doesn't cover) only the same body is a repeat: a stranger who replays a
    signed body under a used id, or a sender that uses an id twice, must not make an event vanish.
    """
    key = text(key)
    touchpoint, received_at = db.execute(SELECT_EVENT, (seq,)).fetchone()
    others = db.execute(SELECT_CLAIMS, (touchpoint, key, since)).fetchall()
    for event_seq, claimed_hash in others:
        if event_seq != seq and (body_hash is None or claimed_hash == body_hash):
            return Claim(duplicate_of=event_seq)
    db.execute(UPSERT_CLAIM, (touchpoint, key, body_hash or b"", seq, received_at))
    return Claim(other_body=bool(others))


SELECT_KNOWN = Bulk(
    """
SELECT column2 FROM (VALUES {rows}) CROSS JOIN events e ON e.seq = column1
CROSS JOIN claims c ON c.touchpoint = e.touchpoint AND c.dedup_key = column2
""",
    2,
)
INSERT_CLAIMS = Bulk(
    """
INSERT INTO claims (touchpoint, dedup_key, body_hash, event_seq, at)
SELECT e.touchpoint, column2, column3, column1, e.received_at FROM (VALUES {rows}) CROSS JOIN events e ON e.seq = column1
""",
    3,
)


def claim_keys(db: sqlite3.Connection, plans: Sequence[Plan]) -> dict[int, Claim]:
    """Claim the keys of plans, in order: what each came to, by the event's number, but for plain first claims.

    Keys that nobody has claimed and that stand once among the plans, nearly all, are claimed together.
    """
    keys = [(plan.seq, text(plan.dedup_key)) for plan in plans if plan.dedup_key is not None]
    known = {key for (key,) in SELECT_KNOWN.read(db, keys)}
    once = {key for key, n in Counter(key for _, key in keys).items() if n == 1} - known
    fresh: list[tuple[int, str, bytes]] = []
    claims: dict[int, Claim] = {}
    for plan in plans:
        if plan.dedup_key is None:
            continue
        if (key := text(plan.dedup_key)) in once:
            fresh.append((plan.seq, key, plan.dedup_hash or b""))
        else:
            claims[plan.seq] = claim_key(db, plan.seq, key, since=plan.dedup_since, body_hash=plan.dedup_hash)
    INSERT_CLAIMS.change(db, fresh)
    return claims

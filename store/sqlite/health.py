"""What is known of destinations, kept over restarts."""

import sqlite3
from collections.abc import Sequence

from store.sqlite.rows import text
from touchpoints.retry import Health

UPSERT_HEALTH = """
INSERT INTO health (destination, failures, down_since, probe_at, error_code, error, ramp)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (destination) DO UPDATE SET failures = excluded.failures, down_since = excluded.down_since,
    probe_at = excluded.probe_at, error_code = excluded.error_code, error = excluded.error,
    ramp = excluded.ramp
"""


def upsert_health(db: sqlite3.Connection, healths: Sequence[Health]) -> None:
    """Keep the given healths, the last one of each destination."""
    rows = [(h.destination, h.failures, h.down_since, h.probe_at, h.error_code, text(h.error), h.ramp) for h in healths]
    db.executemany(UPSERT_HEALTH, rows)


SELECT_HEALTH = """
SELECT destination, failures, down_since, probe_at, error_code, error, ramp FROM health ORDER BY destination
"""


def select_health(db: sqlite3.Connection) -> list[Health]:
    """Every destination's health."""
    names = ("destination", "failures", "down_since", "probe_at", "error_code", "error", "ramp")
    return [Health(**dict(zip(names, row, strict=True))) for row in db.execute(SELECT_HEALTH)]

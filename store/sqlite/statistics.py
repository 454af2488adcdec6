"""The statistics in SQLite: a row a minute, and one for each bucket of latencies in it."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from store.sqlite.connections import Readers
from store.sqlite.writer import Writer
from store.statistics import Figures
from touchpoints.moment import DAY, MINUTE, Micros

KEPT = 8 * DAY


class SqliteStatistics:
    """See store.statistics.Statistics."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def spans(self, *, since: Micros, until: Micros, width: Micros) -> Sequence[tuple[Micros, Figures]]:
        """See Statistics."""
        return await self._readers.run(partial(select_spans, since=since, until=until, width=width))

    async def add(self, minutes: Mapping[int, Figures], *, now: Micros) -> None:
        """Add to minutes, numbered from 1970. Raises StoreUnavailable."""
        await self._writer.run(partial(add_minutes, minutes=minutes, now=now))


ADD_MINUTE = """
INSERT INTO minutes (minute, received, refused, delivered, failed, given_up) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (minute) DO UPDATE SET received = received + excluded.received, refused = refused + excluded.refused,
    delivered = delivered + excluded.delivered, failed = failed + excluded.failed, given_up = given_up + excluded.given_up
"""
ADD_LATENCIES = """
INSERT INTO latencies (minute, bucket, n) VALUES (?, ?, ?)
ON CONFLICT (minute, bucket) DO UPDATE SET n = n + excluded.n
"""
DELETE_MINUTES = "DELETE FROM minutes WHERE minute < ?"
DELETE_LATENCIES = "DELETE FROM latencies WHERE minute < ?"


def add_minutes(db: sqlite3.Connection, minutes: Mapping[int, Figures], now: Micros) -> None:
    """Add to minutes, and let go of what is too old."""
    rows = [(minute, f.received, f.refused, f.delivered, f.failed, f.given_up) for minute, f in minutes.items()]
    db.executemany(ADD_MINUTE, rows)
    db.executemany(ADD_LATENCIES, [(minute, number, n) for minute, f in minutes.items() for number, n in f.latencies.items()])
    oldest = (now - KEPT) // MINUTE
    db.execute(DELETE_MINUTES, (oldest,))
    db.execute(DELETE_LATENCIES, (oldest,))


SELECT_SPANS = """
SELECT minute / :width AS span, sum(received), sum(refused), sum(delivered), sum(failed), sum(given_up) FROM minutes
WHERE minute >= :low AND minute < :high GROUP BY span
"""
SELECT_LATENCIES = """
SELECT minute / :width AS span, bucket, sum(n) FROM latencies WHERE minute >= :low AND minute < :high GROUP BY span, bucket
"""


def select_spans(db: sqlite3.Connection, since: Micros, until: Micros, width: Micros) -> list[tuple[Micros, Figures]]:
    """Every span between two moments, in order."""
    first, beyond = -(-since // width), -(-until // width)
    found = {number: Figures() for number in range(first, beyond)}
    minutes = width // MINUTE
    values = {"width": minutes, "low": first * minutes, "high": beyond * minutes}
    for number, received, refused, delivered, failed, given_up in db.execute(SELECT_SPANS, values):
        found[number] = Figures(received=received, refused=refused, delivered=delivered, failed=failed, given_up=given_up)
    for number, bucket, n in db.execute(SELECT_LATENCIES, values):
        found[number].latencies[bucket] = n
    return [(number * width, figures) for number, figures in found.items()]

"""When events came, in SQLite: a row for each hour of a touchpoint, with a bit for each minute of it."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from store.sqlite.connections import Readers
from store.sqlite.writer import Writer
from touchpoints.moment import HOUR, MINUTE, Micros
from touchpoints.quiet import KEPT


class SqliteArrivals:
    """See store.arrivals.Arrivals."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def add(self, last: Mapping[int, Micros], *, now: Micros) -> None:
        """See Arrivals."""
        await self._writer.run(partial(add_arrivals, last=last, now=now))

    async def minutes(self, touchpoint: int) -> Sequence[Micros]:
        """See Arrivals."""
        return await self._readers.run(partial(select_arrivals, touchpoint=touchpoint))


ADD_ARRIVAL = """
INSERT INTO arrivals (touchpoint, hour, minutes) VALUES (?, ?, ?)
ON CONFLICT (touchpoint, hour) DO UPDATE SET minutes = minutes | excluded.minutes
"""
DELETE_ARRIVALS = "DELETE FROM arrivals WHERE touchpoint = ? AND hour < ?"


def add_arrivals(db: sqlite3.Connection, last: Mapping[int, Micros], now: Micros) -> None:
    """Set the minutes' bits."""
    db.executemany(ADD_ARRIVAL, [(who, at // HOUR, 1 << at % HOUR // MINUTE) for who, at in last.items()])
    db.executemany(DELETE_ARRIVALS, [(who, (now - KEPT) // HOUR) for who in last])


SELECT_ARRIVALS = "SELECT hour, minutes FROM arrivals WHERE touchpoint = ? ORDER BY hour"


def select_arrivals(db: sqlite3.Connection, touchpoint: int) -> list[Micros]:
    """The minutes whose bit is set."""
    rows = db.execute(SELECT_ARRIVALS, (touchpoint,)).fetchall()
    return [hour * HOUR + bit * MINUTE for hour, minutes in rows for bit in range(60) if minutes >> bit & 1]

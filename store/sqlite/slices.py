"""Walking events in slices of their number, so that no read is long however much is stored."""

import sqlite3
from collections.abc import Iterator

SLICE = 20_000  # events

SELECT_ENDS = "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)"


def ends(db: sqlite3.Connection) -> tuple[int, int]:
    """(lowest stored number, one above the highest); both 0 when nothing is stored."""
    low, high = db.execute(SELECT_ENDS).fetchone()
    return (0, 0) if low is None else (low, high + 1)


def downward(low: int, high: int, *, whole: bool) -> Iterator[tuple[int, int]]:
    """Slices of `low <= seq < high`, highest first; all of it at once when `whole`."""
    while low < high:
        floor = low if whole else max(low, high - SLICE)
        yield floor, high
        high = floor


def upward(low: int, high: int, *, whole: bool) -> Iterator[tuple[int, int]]:
    """Slices of `low <= seq < high`, lowest first; all of it at once when `whole`."""
    while low < high:
        ceiling = high if whole else min(high, low + SLICE)
        yield low, ceiling
        low = ceiling

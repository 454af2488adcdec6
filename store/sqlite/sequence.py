"""The numbers of events and deliveries: in order of receipt, never given twice."""

import sqlite3


class Sequence:
    """Gives numbers out in memory, above the highest stored; only the writer's thread takes them."""

    def __init__(self) -> None:
        self._last = 0

    def pass_over(self, last: int) -> None:
        """Give out only numbers above `last` from now on."""
        self._last = max(self._last, last)

    def take(self, count: int) -> range:
        """The next `count` numbers. Those of a transaction that fails are left out for good."""
        first = self._last + 1
        self._last += count
        return range(first, first + count)


SELECT_LAST = "SELECT (SELECT max(seq) FROM events), (SELECT max(seq) FROM deliveries)"


def last_numbers(db: sqlite3.Connection) -> tuple[int, int]:
    """The highest stored numbers of events and of deliveries."""
    events, deliveries = db.execute(SELECT_LAST).fetchone()
    return events or 0, deliveries or 0

"""The connections that read: a few, each with one read at a time, so that a long one keeps no short one waiting."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from store.inbox import StoreUnavailable
from store.sqlite.database import CORRUPT, Database, primary_code

T = TypeVar("T")


class Readers:
    """Databases that read; each read goes to the least busy. `corrupt` once SQLite said so, until the next `open`."""

    def __init__(self) -> None:
        self.corrupt = False
        self._databases: list[Database] = []
        self._busy: list[int] = []

    def open(self, databases: Sequence[Database]) -> None:
        """Read by these from now on."""
        self.corrupt = False
        self._databases = list(databases)
        self._busy = [0] * len(self._databases)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run one short read. Raises StoreUnavailable."""
        databases, busy = self._databases, self._busy
        if not databases:
            raise StoreUnavailable("store_corrupt" if self.corrupt else "closing")
        chosen = busy.index(min(busy))
        busy[chosen] += 1
        try:
            return await databases[chosen].run(work)
        except sqlite3.Error as error:
            self.corrupt = self.corrupt or primary_code(error) in CORRUPT
            raise StoreUnavailable("store_corrupt" if self.corrupt else "store_failed") from error
        finally:
            busy[chosen] -= 1

    async def close(self) -> None:
        """Finish what is being read, then close every connection."""
        databases, self._databases = self._databases, []
        for database in databases:
            await database.close()

"""Old paths in SQLite, in configuration.db."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from store.old_path import OldPath
from store.sqlite.database import Database, transaction, unavailable

T = TypeVar("T")


class SqliteOldPaths:
    """OldPaths over configuration.db."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> tuple[OldPath, ...]:
        """See OldPaths."""
        return await self._run(select_old_paths)

    async def save(self, old: OldPath) -> None:
        """See OldPaths."""
        await self._write(lambda db: db.execute(UPSERT_OLD_PATH, (old.path, old.since, old.used_at)))

    async def forget(self, path: str) -> None:
        """See OldPaths."""
        await self._write(lambda db: db.execute(DELETE_OLD_PATH, (path,)))

    async def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        await self._run(transaction(work))

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except sqlite3.Error as error:
            raise unavailable(error) from error


SELECT_OLD_PATHS = "SELECT path, since, used_at FROM old_paths ORDER BY path"
UPSERT_OLD_PATH = (
    "INSERT INTO old_paths (path, since, used_at) VALUES (?, ?, ?) "
    "ON CONFLICT (path) DO UPDATE SET since = excluded.since, used_at = excluded.used_at"
)
DELETE_OLD_PATH = "DELETE FROM old_paths WHERE path = ?"


def select_old_paths(db: sqlite3.Connection) -> tuple[OldPath, ...]:
    """Every old path."""
    return tuple(OldPath(path=path, since=since, used_at=used_at) for path, since, used_at in db.execute(SELECT_OLD_PATHS))

"""What a person was told of, in configuration.db: it stands when the events file does not."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from store.alerts import Standing
from store.sqlite.database import Database, transaction, unavailable

T = TypeVar("T")


class SqliteAlertMemory:
    """See store.alerts.AlertMemory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, channel: str) -> Sequence[Standing]:
        """See AlertMemory."""
        return await self._run(partial(select_told, channel=channel))

    async def keep(self, channel: str, standing: Sequence[Standing]) -> None:
        """See AlertMemory."""
        await self._run(transaction(partial(replace_told, channel=channel, standing=standing)))

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except sqlite3.Error as error:
            raise unavailable(error) from error


COLUMNS = "code, touchpoint, destination, text, mend, count, since, told_at, gone_at, cleared_at, returns"
SELECT_TOLD = f"SELECT {COLUMNS} FROM told WHERE channel = ?"  # noqa: S608 - joins constants; values are bound


def select_told(db: sqlite3.Connection, channel: str) -> list[Standing]:
    """What a channel told."""
    names = COLUMNS.split(", ")
    return [Standing(**dict(zip(names, row, strict=True))) for row in db.execute(SELECT_TOLD, (channel,))]


DELETE_TOLD = "DELETE FROM told WHERE channel = ?"
INSERT_TOLD = f"INSERT INTO told (channel, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - joins constants


def replace_told(db: sqlite3.Connection, channel: str, standing: Sequence[Standing]) -> None:
    """Make the rows of a channel these."""
    rows = [(channel, *(getattr(one, name) for name in COLUMNS.split(", "))) for one in standing]
    db.execute(DELETE_TOLD, (channel,))
    db.executemany(INSERT_TOLD, rows)

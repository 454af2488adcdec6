"""The door in SQLite: sessions, failed tries to sign in, and the wish for a link, beside the people of configuration.db."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from store.door import IDLE, LONGEST, Session, wait_after
from store.sqlite.database import Database, transaction
from touchpoints.moment import DAY, MINUTE, Micros

T = TypeVar("T")

_MOST_SUBJECTS = 10_000  # whoever invents names and addresses fills no disk


class SqliteDoor:
    """A Door over configuration.db."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_session(self, digest: bytes, person: str, *, now: Micros) -> None:
        """See Door."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(DELETE_ENDED, (now - LONGEST, now - IDLE))
            db.execute(INSERT_SESSION, (digest, person, now, now))

        await self._write(work)

    async def session(self, digest: bytes, *, now: Micros, note: bool = True) -> Session | None:
        """See Door."""
        found = await self._database.run(lambda db: select_session(db, digest))
        if found is None or now - found.created_at >= LONGEST or now - found.used_at >= IDLE:
            return None
        if note and now - found.used_at >= MINUTE:
            # A disk that is full signs nobody out.
            with suppress(sqlite3.Error):
                await self._write(lambda db: db.execute(TOUCH_SESSION, (now, digest)))
        return found

    async def close_session(self, digest: bytes) -> None:
        """See Door."""
        await self._write(lambda db: db.execute(DELETE_SESSION, (digest,)))

    async def try_by(self, *subjects: str, now: Micros) -> Micros:
        """See Door."""
        return await self._write(lambda db: count_try(db, subjects, now))

    async def forgive(self, *subjects: str) -> None:
        """See Door."""
        await self._write(lambda db: db.executemany(DELETE_TRIES, [(subject,) for subject in subjects]))

    async def ask_for_link(self) -> None:
        """See Door."""
        await self._write(lambda db: db.execute(INSERT_WISH))

    async def take_wish(self) -> bool:
        """See Door."""
        return await self._write(lambda db: db.execute(DELETE_WISH).rowcount > 0)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._database.run(transaction(work))


INSERT_SESSION = "INSERT INTO sessions (digest, person, created_at, used_at) VALUES (?, ?, ?, ?)"
DELETE_ENDED = "DELETE FROM sessions WHERE created_at <= ? OR used_at <= ?"
TOUCH_SESSION = "UPDATE sessions SET used_at = ? WHERE digest = ?"
DELETE_SESSION = "DELETE FROM sessions WHERE digest = ?"
SELECT_SESSION = "SELECT person, created_at, used_at FROM sessions WHERE digest = ?"


def select_session(db: sqlite3.Connection, digest: bytes) -> Session | None:
    """The session of a digest, ended or not."""
    row = db.execute(SELECT_SESSION, (digest,)).fetchone()
    return Session(person=row[0], created_at=row[1], used_at=row[2]) if row else None


SELECT_TRIES = "SELECT failures, last_at FROM login_failures WHERE subject = ?"
UPSERT_TRY = (
    "INSERT INTO login_failures (subject, failures, last_at) VALUES (?, ?, ?) "
    "ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at"
)
DELETE_TRIES = "DELETE FROM login_failures WHERE subject = ?"
DELETE_OLD_TRIES = "DELETE FROM login_failures WHERE last_at < ?"
DELETE_SURPLUS_TRIES = (
    "DELETE FROM login_failures WHERE subject IN "
    "(SELECT subject FROM login_failures ORDER BY failures DESC, last_at DESC LIMIT -1 OFFSET ?)"
)


def count_try(db: sqlite3.Connection, subjects: tuple[str, ...], now: Micros) -> Micros:
    """Count a try for each subject, or tell how long the longest of them must wait."""
    db.execute(DELETE_OLD_TRIES, (now - DAY,))
    counted, wait = [], 0
    for subject in subjects:
        failures, last_at = db.execute(SELECT_TRIES, (subject,)).fetchone() or (0, now)
        # A clock that was set back must not make anyone wait longer than the wait itself.
        last_at = min(last_at, now)
        wait = max(wait, last_at + wait_after(failures) - now)
        counted.append((subject, failures + 1, now))
    if wait > 0:
        return wait
    db.executemany(UPSERT_TRY, counted)
    db.execute(DELETE_SURPLUS_TRIES, (_MOST_SUBJECTS,))
    return 0


INSERT_WISH = "INSERT OR IGNORE INTO instance (key, value) VALUES ('link_wanted', '1')"
DELETE_WISH = "DELETE FROM instance WHERE key = 'link_wanted'"

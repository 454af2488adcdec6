"""People, API tokens and the audit log in SQLite."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from store.people import ApiToken, AuditLine, Scope
from store.sqlite.database import Database, transaction
from touchpoints.moment import MINUTE, Micros
from touchpoints.problem import ProblemError, problem

T = TypeVar("T")

_LONGEST_DETAIL = 4096


class SqlitePeople:
    """People over configuration.db."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_token(self, name: str, scope: Scope, digest: bytes, *, now: Micros) -> None:
        """See People."""
        try:
            await self._write(lambda db: insert_token(db, name, scope, digest, now))
        except sqlite3.IntegrityError:
            raise ProblemError(problem("token_exists", name=ascii(name[:64])[1:-1])) from None

    async def tokens(self) -> Sequence[ApiToken]:
        """See People."""
        return await self._database.run(select_tokens)

    async def revoke_token(self, name: str) -> bool:
        """See People."""
        return await self._write(lambda db: delete_token(db, name))

    async def token_by_digest(self, digest: bytes, *, now: Micros) -> ApiToken | None:
        """See People."""
        found = await self._database.run(lambda db: select_token(db, digest))
        if found and (found.last_used_at is None or now - found.last_used_at >= MINUTE):
            # That a token was used is worth noting, not worth refusing its bearer.
            with suppress(sqlite3.Error):
                await self._write(lambda db: touch_token(db, digest, now))
        return found

    async def set_password(self, person: str, password_hash: str, *, now: Micros) -> None:
        """See People."""

        def work(db: sqlite3.Connection) -> None:
            upsert_person(db, person, password_hash, now)
            db.execute(DELETE_SESSIONS, (person,))

        await self._write(work)

    async def remove_person(self, person: str) -> bool:
        """See People."""
        return await self._write(lambda db: db.execute(DELETE_PERSON, (person,)).rowcount > 0)

    async def password_hash(self, person: str) -> str | None:
        """See People."""
        return await self._database.run(lambda db: select_password(db, person))

    async def persons(self) -> Sequence[str]:
        """See People."""
        return await self._database.run(select_persons)

    async def audit(self, line: AuditLine) -> None:
        """See People."""
        with suppress(sqlite3.Error):
            await self._write(lambda db: write_audit(db, line))

    async def audited(self, *, limit: int, before: int | None = None) -> Sequence[tuple[int, AuditLine]]:
        """See People."""
        return await self._database.run(lambda db: select_audit(db, limit, before))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._database.run(transaction(work))


INSERT_TOKEN = "INSERT INTO tokens (name, scope, digest, created_at) VALUES (?, ?, ?, ?)"  # noqa: S105 - SQL, no password


def insert_token(db: sqlite3.Connection, name: str, scope: Scope, digest: bytes, now: Micros) -> None:
    """Raises sqlite3.IntegrityError for a name or digest that is there."""
    db.execute(INSERT_TOKEN, (name, scope.value, digest, now))


SELECT_TOKENS = "SELECT name, scope, created_at, last_used_at FROM tokens ORDER BY name"


def select_tokens(db: sqlite3.Connection) -> list[ApiToken]:
    """All tokens by name."""
    return [token_of(row) for row in db.execute(SELECT_TOKENS)]


SELECT_TOKEN = "SELECT name, scope, created_at, last_used_at FROM tokens WHERE digest = ?"  # noqa: S105 - SQL, no password


def select_token(db: sqlite3.Connection, digest: bytes) -> ApiToken | None:
    """The token of a digest."""
    row = db.execute(SELECT_TOKEN, (digest,)).fetchone()
    return token_of(row) if row else None


def token_of(row: tuple[str, str, Micros, Micros | None]) -> ApiToken:
    """A token of its row."""
    name, scope, created_at, last_used_at = row
    return ApiToken(name=name, scope=Scope(scope), created_at=created_at, last_used_at=last_used_at)


TOUCH_TOKEN = "UPDATE tokens SET last_used_at = ? WHERE digest = ?"  # noqa: S105 - SQL, no password


def touch_token(db: sqlite3.Connection, digest: bytes, now: Micros) -> None:
    """Note a token's use."""
    db.execute(TOUCH_TOKEN, (now, digest))


DELETE_TOKEN = "DELETE FROM tokens WHERE name = ?"  # noqa: S105 - SQL, no password


def delete_token(db: sqlite3.Connection, name: str) -> bool:
    """Whether there was one."""
    return db.execute(DELETE_TOKEN, (name,)).rowcount > 0


UPSERT_PERSON = (
    "INSERT INTO persons (name, password_hash, changed_at) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at"
)


def upsert_person(db: sqlite3.Connection, person: str, password_hash: str, now: Micros) -> None:
    """Keep a person's hash."""
    db.execute(UPSERT_PERSON, (person, password_hash, now))


# The sessions go with it.
DELETE_PERSON = "DELETE FROM persons WHERE name = ? AND (SELECT count(*) FROM persons) > 1"

DELETE_SESSIONS = "DELETE FROM sessions WHERE person = ?"

SELECT_PASSWORD = "SELECT password_hash FROM persons WHERE name = ?"  # noqa: S105 - SQL, no password


def select_password(db: sqlite3.Connection, person: str) -> str | None:
    """A person's hash."""
    row = db.execute(SELECT_PASSWORD, (person,)).fetchone()
    return row[0] if row else None


SELECT_PERSONS = "SELECT name FROM persons ORDER BY name"


def select_persons(db: sqlite3.Connection) -> list[str]:
    """Everyone's name."""
    return [name for (name,) in db.execute(SELECT_PERSONS)]


INSERT_AUDIT = "INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)"


def write_audit(db: sqlite3.Connection, line: AuditLine) -> None:
    """Write a line in the caller's transaction."""
    db.execute(INSERT_AUDIT, (line.at, line.actor, line.action, line.detail[:_LONGEST_DETAIL]))


SELECT_AUDIT = "SELECT number, at, actor, action, detail FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?"


def select_audit(db: sqlite3.Connection, limit: int, before: int | None) -> list[tuple[int, AuditLine]]:
    """Newest first."""
    rows = db.execute(SELECT_AUDIT, (2**63 - 1 if before is None else before, limit))
    return [(number, AuditLine(at=at, actor=actor, action=action, detail=detail)) for number, at, actor, action, detail in rows]

"""One instance's configuration.db: the key it was begun with, its id, and the last file that was applied."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from store.inbox import StoreUnavailable
from store.people import AuditLine
from store.sqlite.database import Database, explained, reads_whole
from store.sqlite.migrate import migrate
from store.sqlite.people import write_audit
from store.vault import Vault
from touchpoints.moment import Micros, rfc3339
from touchpoints.problem import ProblemError, problem

T = TypeVar("T")

_KEY_CHECK = "hookport key check 1"

RESTORED = "restored_of"  # the fact that tells of which moment the backup is that was put back
RESTORED_UP_TO = "restored_up_to"  # and which number its last event has, where it is an agent's
ON_HOLD = "on_hold"  # and the touchpoints, by id, whose deliveries are kept back since they are on hold
DELETE_SESSIONS = "DELETE FROM sessions"


class Instance:
    """What the configurations of an agent and of a proxy have in common; configuration.db is at `path`."""

    _fleeting: tuple[str, ...] = (DELETE_SESSIONS,)  # statements that remove what must not come back with a backup

    def __init__(self, database: Database, vault: Vault, path: Path) -> None:
        self._database = database
        self._vault = vault
        self._path = path

    async def last_applied(self) -> str:
        """SHA-256 hex of the last file content applied by any means, or empty."""
        return await self._run(lambda db: read_instance(db, "applied_digest"))

    async def instance_id(self, fresh: str) -> str:
        """The id of this instance; `fresh` becomes it the first time."""

        def work(db: sqlite3.Connection) -> str:
            found = read_instance(db, "id") or fresh
            write_instance(db, "id", found)
            db.execute("COMMIT")
            return found

        return await self._run(work)

    async def fact(self, key: str) -> str:
        """What is kept about this instance under a key, or empty."""
        return await self._run(lambda db: read_instance(db, key))

    async def keep_fact(self, key: str, value: str) -> None:
        """Keep a fact about this instance; empty is as good as none."""

        def work(db: sqlite3.Connection) -> None:
            write_instance(db, key, value)
            db.execute("COMMIT")

        await self._run(work)

    async def put_back(self, *, of: Micros, now: Micros, up_to: int | None = None) -> None:
        """Note that this is the configuration of a backup made at `of`, whose last event has the number `up_to`.

        Nobody is signed in any more.
        """

        def work(db: sqlite3.Connection) -> None:
            for statement in self._fleeting:
                db.execute(statement)
            write_instance(db, RESTORED, str(of))
            write_instance(db, ON_HOLD, "")  # what waited is held for another reason: none of it is let go by itself
            write_instance(db, RESTORED_UP_TO, "" if up_to is None else str(up_to))
            write_audit(db, AuditLine(at=now, actor="machine", action="backup.restore", detail=rfc3339(of)))
            db.execute("COMMIT")

        await self._run(work)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a work in a transaction of its own, which is rolled back unless the work commits it."""

        def begun(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            check_key(db, self._vault)
            return work(db)

        try:
            return await self._database.run(begun)
        except sqlite3.Error as error:
            raise explained(error, self._path) from error


SELECT_INSTANCE = "SELECT value FROM instance WHERE key = ?"


def read_instance(db: sqlite3.Connection, key: str) -> str:
    """A fact about this instance, or empty."""
    row = db.execute(SELECT_INSTANCE, (key,)).fetchone()
    return row[0] if row else ""


UPSERT_INSTANCE = "INSERT INTO instance (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def write_instance(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a fact about this instance."""
    db.execute(UPSERT_INSTANCE, (key, value))


def check_key(db: sqlite3.Connection, vault: Vault) -> None:
    """Raise ProblemError(key_wrong) for a vault of another key than the one this configuration was begun with."""
    known, ours = read_instance(db, "key_check"), vault.fingerprint(_KEY_CHECK)
    if known and known != ours:
        raise ProblemError(problem("key_wrong"))
    if not known:
        write_instance(db, "key_check", ours)


CHECK_REFERENCES = "PRAGMA foreign_key_check"


def make_current(db: sqlite3.Connection, kind: str, *, path: Path, now: Micros, keep: Path | None = None) -> None:
    """Look a configuration.db just opened through, then bring it up to date, as `migrate` does; it is small.

    Raises ProblemError: store_corrupt, and what `migrate` raises.
    """
    try:
        sound = reads_whole(db, indexes=True) and db.execute(CHECK_REFERENCES).fetchone() is None
    except sqlite3.Error as error:
        raise explained(error, path) from error
    if not sound:
        raise ProblemError(problem("store_corrupt", path=str(path)))
    migrate(db, kind, path=path, now=now, keep=keep)


@contextmanager
def understanding(path: Path) -> Iterator[None]:
    """While a process learns what stands in configuration.db: what no program of ours wrote there is damage, which SQLite
    cannot see inside a text. Raises ProblemError: store_corrupt, or why nothing can be read now."""
    try:
        yield
    except StoreUnavailable as error:
        raise ProblemError(error.why or problem(error.code, path=str(path), error="")) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ProblemError(problem("store_corrupt", path=str(path))) from error

"""Backups of SQLite files: one read transaction each, so that a copy is of one moment while the agent goes on writing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from store.backup import Counted
from store.sqlite.database import (
    CONFIGURATION_APPLICATION,
    EVENTS_APPLICATION,
    Opener,
    explained,
    pragma_number,
    reads_whole,
)
from store.sqlite.migrate import migrate, outdated, schema
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem


class SqliteBackupFiles:
    """See BackupFiles."""

    def copy_configuration(self, source: Path, target: Path) -> None:
        """See BackupFiles."""
        with _reading(source) as db:
            db.execute(VACUUM_INTO, (str(target),))

    def copy_events(self, source: Path, target: Path, *, bodies: bool) -> Counted:
        """See BackupFiles."""
        with _reading(source) as db:
            form, version = schema(db), pragma_number(db, "user_version")
        with _explaining(target), closing(_opener(target, EVENTS_APPLICATION)()) as made:
            made.executescript(f"BEGIN;\n{form}\nPRAGMA user_version = {version};\nCOMMIT")
            made.execute("PRAGMA journal_mode = DELETE")
        with _reading(source) as db:
            db.execute(ATTACH, (str(target),))
            db.execute("PRAGMA copy.synchronous = OFF")
            db.execute("BEGIN")
            _choose(db, bodies=bodies)
            for statement in COPIES:
                db.execute(statement)
            counted = _counted(db, "copy")
            db.execute("COMMIT")
        return counted

    def try_restore(self, configuration: Path, events: Path, *, now: Micros) -> Counted:
        """See BackupFiles."""
        with _sound(configuration, "configuration", CONFIGURATION_APPLICATION, now):
            pass
        with _sound(events, "events", EVENTS_APPLICATION, now) as db:
            return _counted(db, "main")

    def waits_until(self, events: Path) -> None:
        """See BackupFiles."""
        with _explaining(events), closing(_opener(events, EVENTS_APPLICATION)()) as db:
            db.execute("BEGIN IMMEDIATE")
            for statement in HOLD_ALL:
                db.execute(statement)
            db.execute("COMMIT")


VACUUM_INTO = "VACUUM main INTO ?"
ATTACH = "ATTACH ? AS copy"

CHOOSE = """
CREATE TEMP TABLE chosen AS
    SELECT seq FROM main.inbox
    UNION SELECT event_seq FROM main.deliveries WHERE state IN ('pending', 'held', 'given_up')
    UNION SELECT seq FROM main.events WHERE verdict = 'refused' AND body_kept = 1
    UNION SELECT event_seq FROM main.pulled
"""
CHOOSE_BODIES = "INSERT INTO chosen SELECT seq FROM main.events WHERE body_kept = 1"
INDEX_CHOSEN = "CREATE INDEX temp.chosen_seq ON chosen (seq)"
# The newest event goes along whatever it is: its number must never be given again.
CHOOSE_KNOWN = """
CREATE TEMP TABLE known AS SELECT seq FROM chosen UNION SELECT event_seq FROM main.claims UNION SELECT max(seq) FROM main.events
"""


def _choose(db: sqlite3.Connection, *, bodies: bool) -> None:
    """`chosen`: events with their bodies; `known`: those and the ones that only the dedup memory speaks of."""
    for statement in (CHOOSE, *([CHOOSE_BODIES] if bodies else []), INDEX_CHOSEN, CHOOSE_KNOWN):
        db.execute(statement)


_WHOLE = ("migrations", "claims", "counters", "health", "sources", "pulled", "docked", "docked_bodies", "last_events", "inbox")
COPIES = (
    "INSERT INTO copy.events SELECT e.* FROM known k CROSS JOIN main.events e ON e.seq = k.seq",
    "UPDATE copy.events SET body_kept = 0 WHERE body_kept = 1 AND seq NOT IN (SELECT seq FROM chosen)",
    "INSERT INTO copy.deliveries SELECT d.* FROM known k CROSS JOIN main.deliveries d ON d.event_seq = k.seq",
    """
    INSERT INTO copy.attempts SELECT a.* FROM copy.deliveries d
    CROSS JOIN main.attempts a ON a.place >= d.seq << 16 AND a.place < (d.seq + 1) << 16
    """,
    """
    INSERT OR IGNORE INTO copy.bodies SELECT b.* FROM chosen c
    CROSS JOIN main.bodies b ON b.place >= c.seq << 16 AND b.place < (c.seq + 1) << 16
    """,
    *(f"INSERT INTO copy.{table} SELECT * FROM main.{table}" for table in _WHOLE),  # noqa: S608 - joins constants
)

HOLD_ALL = (
    """
    INSERT INTO counters (state, whose, n) SELECT 'held', destination, count(*) FROM deliveries
    WHERE state = 'pending' GROUP BY destination
    ON CONFLICT (state, whose) DO UPDATE SET n = n + excluded.n
    """,
    "UPDATE counters SET n = 0 WHERE state = 'pending'",
    "UPDATE deliveries SET state = 'held' WHERE state = 'pending'",
)


def _counted(db: sqlite3.Connection, where: str) -> Counted:
    def count(rest: str) -> int:
        (n,) = db.execute(f"SELECT count(*) FROM {where}.{rest}").fetchone()  # noqa: S608 - joins constants
        return int(n)

    return Counted(
        events=count("events"),
        waiting=count("inbox") + count("deliveries WHERE state IN ('pending', 'held')"),
        claims=count("claims"),
        bodies=count("events WHERE body_kept = 1"),
    )


def _opener(path: Path, application: int) -> Opener:
    return Opener(path=path, application_id=application, writer=True)


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, path) from error


@contextmanager
def _sound(path: Path, kind: str, application: int, now: Micros) -> Iterator[sqlite3.Connection]:
    """A file that reads from end to end, in whichever form. Raises ProblemError(store_corrupt, store_newer …)."""
    with _explaining(path), closing(_opener(path, application)()) as db:
        if not reads_whole(db):
            raise ProblemError(problem("store_corrupt", path=str(path)))
        if outdated(db, kind) is None:  # an older one is brought up to date where it is put back
            migrate(db, kind, path=path, now=now)
        yield db


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of our own beside the agent's; it never checkpoints, as the agent's readers never do."""
    with _explaining(path), closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in ("busy_timeout = 10000", "wal_autocheckpoint = 0"):
            db.execute(f"PRAGMA {pragma}")
        yield db

"""Backups of an agent's files in SQLite, and what is done with its events when one is put back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from store.backup import CONFIGURATION, EVENTS_OF, Counted, never
from store.sqlite.backup_file import check_key_of, copy_whole, copying, count, explaining, opener, pages, size_of, sound
from store.sqlite.database import CONFIGURATION_APPLICATION, EVENTS_APPLICATION
from store.vault import Vault
from touchpoints.moment import Micros

EVENTS = EVENTS_OF["agent"]


class SqliteBackupFiles:
    """See BackupFiles; an agent's."""

    role = "agent"

    def copy(
        self,
        folder: Path,
        target: Path,
        *,
        settled: bool,
        room: Callable[[int], None],
        configuration: Path | None = None,
        halted: Callable[[], bool] = never,
    ) -> Counted:
        """See BackupFiles."""
        source, configuration = folder / EVENTS, configuration or folder / CONFIGURATION
        with copying(source, target / EVENTS, application=EVENTS_APPLICATION, halted=halted) as db:
            _choose(db, bodies=settled)
            (size,) = db.execute(SELECT_SIZE).fetchone()
            room(size + pages(db, "copy") + size_of(configuration))
            for statement in COPIES:
                db.execute(statement)
            counted = _counted(db, "copy.")
        copy_whole(configuration, target / CONFIGURATION, halted=halted)
        return counted

    def try_restore(self, folder: Path, *, now: Micros, halted: Callable[[], bool] = never) -> Counted:
        """See BackupFiles."""
        with sound(folder / CONFIGURATION, "configuration", CONFIGURATION_APPLICATION, now, halted=halted):
            pass
        with sound(folder / EVENTS, "events", EVENTS_APPLICATION, now, halted=halted) as db:
            return _counted(db, "")

    def check_key(self, folder: Path, vault: Vault) -> None:
        """See BackupFiles."""
        check_key_of(folder / CONFIGURATION, vault)


def hold_what_waits(events: Path) -> int:
    """In a restored file: nothing that was planned goes out by itself any more: what was pending is held.

    The number of the last event in it; all that come have higher ones, whatever the clock does.
    """
    with explaining(events), closing(opener(events, EVENTS_APPLICATION)()) as db:
        db.execute("BEGIN IMMEDIATE")
        for statement in HOLD_ALL:
            db.execute(statement)
        (last,) = db.execute(SELECT_LAST).fetchone()
        db.execute("COMMIT")
    return int(last)


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


# What the copy takes, about: bodies and headers are most of it, and an event with its deliveries, attempts and claim is some
# 1500 bytes beside them.
SELECT_SIZE = """
SELECT
    (SELECT coalesce(sum(length(b.data)), 0) FROM (SELECT DISTINCT seq FROM chosen) c
        CROSS JOIN main.bodies b ON b.place >= c.seq << 16 AND b.place < (c.seq + 1) << 16)
    + (SELECT coalesce(sum(length(data)), 0) FROM main.docked_bodies)
    + (SELECT coalesce(sum(length(e.headers) + 1500), 0) FROM known k CROSS JOIN main.events e ON e.seq = k.seq)
    + (SELECT coalesce(sum(length(headers) + 500), 0) FROM main.docked)
"""

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

SELECT_LAST = "SELECT coalesce(max(seq), 0) FROM events"
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
    return Counted(
        events=count(db, f"{where}events"),
        waiting=count(db, f"{where}inbox") + count(db, f"{where}deliveries WHERE state IN ('pending', 'held')"),
        claims=count(db, f"{where}claims"),
        bodies=count(db, f"{where}events WHERE body_kept = 1"),
    )

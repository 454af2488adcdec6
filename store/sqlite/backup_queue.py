"""Backups of a hosted proxy's files in SQLite, and what is done with its queue when one is put back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from store.backup import CONFIGURATION, EVENTS_OF, Counted, never
from store.sqlite.backup_file import check_key_of, copy_whole, copying, count, pages, reading, size_of, sound
from store.sqlite.database import PROXY_APPLICATION, QUEUE_APPLICATION
from store.vault import Vault
from touchpoints.moment import Micros

QUEUE = EVENTS_OF["proxy"]


class SqliteProxyBackupFiles:
    """See BackupFiles; a hosted proxy's. What is sealed is copied as it is."""

    role = "proxy"

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
        source, configuration = folder / QUEUE, configuration or folder / CONFIGURATION
        with copying(source, target / QUEUE, application=QUEUE_APPLICATION, halted=halted) as db:
            for statement in (CHOOSE_ALL if settled else CHOOSE, INDEX_CHOSEN):
                db.execute(statement)
            (size,) = db.execute(SELECT_SIZE).fetchone()
            room(size + pages(db, "copy") + size_of(configuration))
            for statement in COPIES:
                db.execute(statement)
        copy_whole(configuration, target / CONFIGURATION, halted=halted)
        return _counted(target)

    def try_restore(self, folder: Path, *, now: Micros, halted: Callable[[], bool] = never) -> Counted:
        """See BackupFiles."""
        for name, kind, application in ((CONFIGURATION, "proxy", PROXY_APPLICATION), (QUEUE, "queue", QUEUE_APPLICATION)):
            with sound(folder / name, kind, application, now, halted=halted):
                pass
        return _counted(folder)

    def check_key(self, folder: Path, vault: Vault) -> None:
        """See BackupFiles."""
        check_key_of(folder / CONFIGURATION, vault)


def _counted(folder: Path) -> Counted:
    with reading(folder / CONFIGURATION) as db:
        organisations = count(db, "organisations WHERE removed_at IS NULL")
        agents = count(db, "agents WHERE state != 'revoked'")
    with reading(folder / QUEUE) as db:
        messages = count(db, "messages")
        return Counted(events=messages, waiting=_waiting(db), bodies=messages, organisations=organisations, agents=agents)


# Also what an agent acknowledged and did not tell to have settled: another may have to take it over. As in queue_again.ranges,
# by whom a message was acknowledged is told by the ended leases, and beyond them by the present one.
CHOOSE = """
CREATE TEMP TABLE chosen AS
    SELECT m.organisation, m.seq, m.key_id, m.bytes, m.body FROM main.messages m
    LEFT JOIN main.lanes l ON l.organisation = m.organisation
    WHERE m.seq > coalesce(l.acknowledged, 0) OR m.seq > coalesce(
        (SELECT r.settled FROM main.reports r WHERE r.organisation = m.organisation AND r.agent = coalesce(
            (SELECT e.agent FROM main.epochs e WHERE e.organisation = m.organisation AND e.position >= m.seq
                ORDER BY e.epoch LIMIT 1),
            l.agent)),
        0)
"""
CHOOSE_ALL = "CREATE TEMP TABLE chosen AS SELECT organisation, seq, key_id, bytes, body FROM main.messages"
INDEX_CHOSEN = "CREATE INDEX temp.chosen_key ON chosen (organisation, key_id)"
SELECT_SIZE = "SELECT coalesce(sum(bytes + 600), 0) FROM chosen"  # a row with its index, and what a key takes, beside the bytes

_WHOLE = ("migrations", "lanes", "epochs", "incarnations", "beginnings", "marks", "reports")
COPIES = (
    """
    INSERT INTO copy.messages SELECT m.* FROM chosen c
    CROSS JOIN main.messages m ON m.organisation = c.organisation AND m.seq = c.seq
    """,
    """
    INSERT INTO copy.bodies SELECT b.* FROM chosen c
    CROSS JOIN main.bodies b ON b.place >= c.body << 16 AND b.place < (c.body + 1) << 16
    """,
    """
    INSERT INTO copy.keys
    SELECT k.organisation, k.key_id, k.wrapped, k.at, c.n
    FROM (SELECT organisation, key_id, count(*) AS n FROM chosen GROUP BY organisation, key_id) c
    CROSS JOIN main.keys k ON k.organisation = c.organisation AND k.key_id = c.key_id
    """,
    *(f"INSERT INTO copy.{table} SELECT * FROM main.{table}" for table in _WHOLE),  # noqa: S608 - joins constants
)

SELECT_WAITING = """
SELECT count(*) FROM lanes l CROSS JOIN messages m ON m.organisation = l.organisation AND m.seq > l.acknowledged
"""


def _waiting(db: sqlite3.Connection) -> int:
    (n,) = db.execute(SELECT_WAITING).fetchone()
    return int(n)

"""The events file: opened, watched, moved aside when it is damaged, and never deleted."""

import sqlite3
from pathlib import Path

from store.sqlite.actions import SqliteActions, accept_refused
from store.sqlite.arrivals import SqliteArrivals
from store.sqlite.database import EVENTS_APPLICATION, Open
from store.sqlite.dock import SqliteDock
from store.sqlite.guarded_file import GuardedFile
from store.sqlite.inbox import SqliteInbox
from store.sqlite.log import SqliteLog
from store.sqlite.outbox import SqliteOutbox
from store.sqlite.recent import Recent
from store.sqlite.retention import Retention
from store.sqlite.sequence import Sequence, last_numbers
from store.sqlite.statistics import SqliteStatistics
from touchpoints.moment import Micros


class EventsFile(GuardedFile):
    """One events file with its writer, its readers and the places in it."""

    kind = "events"
    application_id = EVENTS_APPLICATION

    def __init__(self, path: Path, open_database: Open, *, readers: int) -> None:
        super().__init__(path, open_database, readers=readers)
        self._events, self._deliveries = Sequence(), Sequence()
        self._recent = Recent()
        self.inbox = SqliteInbox(self._writer, self._readers, self._events, self._recent)
        self.dock = SqliteDock(self._writer, self._readers, self._events, self._recent)
        self.outbox = SqliteOutbox(self._writer, self._readers, self._deliveries, self._events, self._recent)
        self.log = SqliteLog(self._readers)
        self.actions = SqliteActions(self._writer, self._readers, self._deliveries)
        self._writer.watch(accept_refused, lambda _items, _results: self._recent.forget())
        self.retention = Retention(self._writer, self._readers)
        self.statistics = SqliteStatistics(self._writer, self._readers)
        self.arrivals = SqliteArrivals(self._writer, self._readers)

    @classmethod
    async def open(
        cls, path: Path, open_database: Open, *, now: Micros, readers: int = 3, upgrade: bool = True
    ) -> "EventsFile":
        """Open the file, or make it where there is none; check it after an unclean stop. Damaged, it is moved aside.

        One that an older program made is brought up to date; without `upgrade` it is left alone: store_migrating.

        Raises ProblemError: store_unopenable, store_read_only, store_foreign, store_not_wal, store_newer, store_in_the_way,
        store_not_migrated, disk_full.
        """
        file = cls(path, open_database, readers=readers)
        await file._open(now, upgrade=upgrade)
        return file

    def _learn(self, db: sqlite3.Connection, now: Micros) -> None:  # noqa: ARG002 - the shape all files share
        events, deliveries = last_numbers(db)
        self._events.pass_over(events)
        self._deliveries.pass_over(deliveries)

    def _forget(self) -> None:
        self._recent.forget()

"""The queue's file: the hosted proxy's sealed events, kept as an agent's events file is."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from store.inbox import StoreUnavailable
from store.sqlite.database import QUEUE_APPLICATION, Open
from store.sqlite.guarded_file import GuardedFile
from store.sqlite.queue import SqliteQueue
from store.sqlite.queue_again import begin
from store.sqlite.queue_put import last_body
from store.sqlite.sequence import Sequence
from touchpoints.moment import Micros


class QueueFile(GuardedFile):
    """One queue file with its writer, its readers and the queue in it. `new_id` names the incarnation of a new file."""

    kind = "queue"
    application_id = QUEUE_APPLICATION

    def __init__(self, path: Path, open_database: Open, *, readers: int, new_id: Callable[[], str]) -> None:
        super().__init__(path, open_database, readers=readers)
        self._new_id = new_id
        self._bodies = Sequence()
        self.queue = SqliteQueue(self._writer, self._readers, self._bodies)

    @classmethod
    async def open(
        cls,
        path: Path,
        open_database: Open,
        *,
        now: Micros,
        new_id: Callable[[], str],
        readers: int = 3,
        upgrade: bool = True,
    ) -> "QueueFile":
        """Open the file, or make it where there is none; check it after an unclean stop. Damaged, it is moved aside.

        One that an older program made is brought up to date; without `upgrade` it is left alone: store_migrating.

        Raises ProblemError: store_unopenable, store_read_only, store_foreign, store_not_wal, store_newer, store_in_the_way,
        store_not_migrated, disk_full.
        """
        file = cls(path, open_database, readers=readers, new_id=new_id)
        await file._open(now, upgrade=upgrade)
        return file

    async def close(self) -> None:
        """See GuardedFile. What agents told last is written first."""
        with suppress(StoreUnavailable):  # they tell it again
            await self.queue.flush()
        await super().close()

    def _learn(self, db: sqlite3.Connection, now: Micros) -> None:
        begin(db, incarnation=self._new_id(), now=now)
        self._bodies.pass_over(last_body(db))

    def _forget(self) -> None:
        self.queue.forget()

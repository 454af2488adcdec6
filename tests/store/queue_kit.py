"""Queues under test: each kind is opened, filled, and opened again, so that all of them keep the same contract."""

import asyncio
import hashlib
import itertools
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from store.queue import Parcel, Queue, Quota
from store.sqlite.database import AiosqliteDatabase, Open
from store.sqlite.queue_file import QueueFile
from touchpoints.moment import SECOND, Micros

NOW: Micros = 1_800_000_000 * SECOND
ROOMY = Quota(events=10**9, bytes=10**12)
ACME, OTHER = 1, 2


def parcel(number: int, data: bytes = b"sealed", *, organisation: int = ACME, **fields: Any) -> Parcel:
    """A sealed event whose id is made of its number."""
    values: dict[str, Any] = {
        "organisation": organisation,
        "endpoint": 1,
        "id": f"{number:026d}",
        "received_at": NOW + number,
        "key_id": "key",
        "digest": hashlib.sha256(data).digest(),
        "data": data,
    }
    return Parcel(**(values | fields))


class Place(Protocol):
    """A queue that can be stopped and started."""

    @property
    def queue(self) -> Queue:
        """The queue."""

    async def reopen(self) -> None:
        """Stop and start it."""


RECOUNT = """
SELECT l.organisation, l.events, l.bytes, count(m.seq), coalesce(sum(m.bytes), 0) FROM lanes l
LEFT JOIN messages m ON m.organisation = l.organisation AND m.seq > l.acknowledged GROUP BY l.organisation
"""
RECOUNT_KEYS = """
SELECT uses, (SELECT count(*) FROM messages m WHERE m.organisation = k.organisation AND m.key_id = k.key_id) FROM keys k
"""
STRAY_BODIES = "SELECT count(*) FROM bodies WHERE place >> 16 NOT IN (SELECT body FROM messages)"


class SqlitePlace:
    """The queue in SQLite; whatever a test did to it, its counts must be true when it closes."""

    def __init__(self, path: Path, open_database: Open) -> None:
        self.path, self.open_database = path, open_database
        self.names = (f"incarnation-{number}" for number in itertools.count(1))
        self.file: QueueFile

    @property
    def queue(self) -> Queue:
        return self.file.queue

    async def open(self) -> None:
        self.file = await QueueFile.open(self.path, self.open_database, now=NOW, readers=2, new_id=lambda: next(self.names))

    async def reopen(self) -> None:
        await self.close()
        await self.open()

    async def close(self) -> None:
        if self.file.state == "ready":
            await self.file._readers.run(check_counts)
        await self.file.close()


def check_counts(db: sqlite3.Connection) -> None:
    """What is counted while it changes is what counting finds."""
    for organisation, events, size, found, found_size in db.execute(RECOUNT):
        assert (events, size) == (found, found_size), f"organisation {organisation}"
    for uses, found in db.execute(RECOUNT_KEYS):
        assert uses == found
    assert db.execute(STRAY_BODIES).fetchone() == (0,)


@asynccontextmanager
async def sqlite_place(folder: Path, open_database: Open = AiosqliteDatabase.open) -> AsyncIterator[SqlitePlace]:
    """A queue in a folder, with a data key for two organisations."""
    place = SqlitePlace(folder / "queue.db", open_database)
    await place.open()
    for organisation in (ACME, OTHER):
        await place.queue.put_key(organisation, "key", b"wrapped", now=NOW)
    try:
        yield place
    finally:
        await place.close()


async def fill(queue: Queue, count: int, *, first: int = 1, organisation: int = ACME) -> None:
    """Put some events, in order."""
    await asyncio.gather(*[queue.put(parcel(first + n, organisation=organisation), ROOMY) for n in range(count)])


async def pulled(queue: Queue, organisation: int = ACME, *, after: int = 0) -> list[tuple[int, int]]:
    """(seq, number of the id) of all that waits."""
    found = await queue.pull(organisation, after=after, limit=10_000, max_bytes=2**40)
    return [(message.seq, int(message.id)) for message in found.messages]


async def kept(queue: Queue, organisation: int = ACME) -> list[tuple[int, str]]:
    """(seq, id) of all that is kept, acknowledged or not."""
    return [(message.seq, message.id) async for page in queue.export(organisation) for message in page.messages]

"""What pulled events came to: how far all of them are settled here, found out bit by bit."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import partial

from store.sqlite.connections import Readers
from store.sqlite.sources import select_source
from store.sqlite.writer import Writer

LOOK = 500  # rows looked at in each of the two places

Place = tuple[int, int, int]  # source, number, seq of the event
Found = tuple[list[Place], Place]  # what settled, and where the round goes on

BEGINNING: Place = (-1, -1, -1)


class Settled:
    """Looks at the oldest unsettled events, and at a slice of all the others, which goes round."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers
        self._at = BEGINNING

    async def look(self, proxy: str, incarnation: str) -> tuple[int, int]:
        """(number up to which everything released is settled, how many are not). Raises StoreUnavailable."""
        work = partial(find_settled, proxy=proxy, incarnation=incarnation, at=self._at)
        settled, self._at = await self._readers.run(work)
        if settled:
            await self._writer.run(partial(forget_settled, settled=settled))
        return await self._readers.run(partial(select_position, proxy=proxy, incarnation=incarnation))


SELECT_SLICE = """
SELECT source, number, event_seq,
    NOT EXISTS (SELECT 1 FROM inbox i WHERE i.seq = p.event_seq)
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_seq = p.event_seq AND d.state NOT IN ('delivered', 'dismissed'))
    AND NOT EXISTS (SELECT 1 FROM events item CROSS JOIN deliveries d ON d.event_seq = item.seq
        WHERE item.item_of = p.event_seq AND d.state NOT IN ('delivered', 'dismissed'))
FROM pulled p WHERE (source, number, event_seq) > (?, ?, ?) ORDER BY source, number, event_seq LIMIT ?
"""


def find_settled(db: sqlite3.Connection, *, proxy: str, incarnation: str, at: Place) -> Found:
    """What has settled among the oldest of an incarnation and in the slice behind `at`."""
    source = select_source(db, proxy=proxy, incarnation=incarnation)
    oldest = db.execute(SELECT_SLICE, (source.id, -1, -1, LOOK)).fetchall() if source else []
    others = db.execute(SELECT_SLICE, (*at, LOOK)).fetchall()
    settled = {(whose, number, seq) for whose, number, seq, over in (*oldest, *others) if over}
    return sorted(settled), (others[-1][:3] if len(others) == LOOK else BEGINNING)


DELETE_PULLED = """
DELETE FROM pulled WHERE (source, number, event_seq) IN
    (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))
RETURNING source
"""
UPDATE_UNSETTLED = "UPDATE sources SET unsettled = unsettled - ? WHERE id = ?"


def forget_settled(db: sqlite3.Connection, *, settled: Sequence[Place]) -> None:
    """These are settled for good: what is run again later is a matter of this agent alone."""
    gone = Counter(source for (source,) in db.execute(DELETE_PULLED, (json.dumps(settled),)).fetchall())
    db.executemany(UPDATE_UNSETTLED, [(count, source) for source, count in gone.items()])


SELECT_OLDEST = "SELECT min(number) FROM pulled WHERE source = ?"


def select_position(db: sqlite3.Connection, *, proxy: str, incarnation: str) -> tuple[int, int]:
    """As far as is known."""
    source = select_source(db, proxy=proxy, incarnation=incarnation)
    if source is None:
        return 0, 0
    (oldest,) = db.execute(SELECT_OLDEST, (source.id,)).fetchone()
    return (source.released if oldest is None else oldest - 1), source.unsettled

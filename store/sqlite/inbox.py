"""The inbox in SQLite: events with their bodies, and which of them wait to be planned."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from store.inbox import StoreUnavailable, Waiting
from store.sqlite import counters
from store.sqlite.bulk import Bulk
from store.sqlite.connections import Readers
from store.sqlite.recent import Recent
from store.sqlite.rows import EVENT_COLUMNS, body_rows, event_from_row, event_row
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.writer import Writer
from touchpoints.event import Arrival, Verdict
from touchpoints.moment import DAY, Micros

Refusals = Mapping[tuple[int, str], int]  # (touchpoint, reason) -> how many


class SqliteInbox:
    """See store.inbox.Inbox. While `unavailable` holds a code, every put raises StoreUnavailable with it."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers, recent: Recent) -> None:
        self.unavailable = ""
        self._writer = writer
        self._readers = readers
        self._recent = recent
        self._insert = partial(insert_arrivals, numbers=numbers)
        writer.watch(self._insert, self._stored)

    async def put(self, arrival: Arrival) -> None:
        """See Inbox. A refused event counts as one refusal."""
        if self.unavailable:
            raise StoreUnavailable(self.unavailable)
        await self._writer.submit(self._insert, arrival, len(arrival.body) + 2048)

    async def count_refusals(self, refusals: Refusals, *, now: Micros) -> None:
        """Count refused requests of which nothing is kept. Raises StoreUnavailable."""
        await self._writer.run(partial(add_refusals, refusals=refusals, now=now))

    async def take(self, *, limit: int, after: int = 0) -> Sequence[Waiting]:
        """See Inbox. What was put since the last look comes from memory."""
        if (known := self._recent.take(limit, after)) is not None:
            return known
        version = self._recent.version
        found = await self._readers.run(partial(select_waiting, limit=limit, after=after))
        if after == 0 and len(found) < limit:
            self._recent.learn(found, version)
        return found

    async def waiting(self) -> int:
        """See Inbox."""
        return (await self._readers.run(counters.counted)).get(("inbox", 0), 0)

    def _stored(self, arrivals: Sequence[Arrival], seqs: Sequence[object] | None) -> None:
        if seqs is None:  # it is not known what was stored
            self._recent.forget()
            return
        pairs = zip(arrivals, seqs, strict=True)
        self._recent.add(Waiting(seq=seq, event=arrival.event) for arrival, seq in pairs if isinstance(seq, int))


INSERT_EVENTS = Bulk(
    """
INSERT INTO events (seq, id, touchpoint, received_at, arrived_by, verdict, reason, method, target, headers, remote,
    event_type, dedup_key, reference, body_bytes, body_hash, id_signed, test, hop)
VALUES {rows} ON CONFLICT (id) DO NOTHING
""",
    19,
)
INSERT_BODIES = Bulk("INSERT INTO bodies (place, data) VALUES {rows}", 2)
INSERT_WAITING = Bulk("INSERT INTO inbox (seq) VALUES {rows}", 1)


def insert_arrivals(db: sqlite3.Connection, arrivals: list[Arrival], *, numbers: Numbers) -> list[int | None]:
    """Store arrivals; one whose id is known changes nothing. The numbers of those that wait now."""
    placed = list(zip(numbers.take(len(arrivals)), arrivals, strict=True))
    inserted = INSERT_EVENTS.change(db, [event_row(seq, arrival.event) for seq, arrival in placed])
    new = placed
    if inserted != len(arrivals):
        stored = stored_numbers(db, placed[0][0])
        new = [pair for pair in placed if pair[0] in stored]
    INSERT_BODIES.change(db, [row for seq, arrival in new for row in body_rows(seq, arrival.body)])
    waiting = {seq for seq, arrival in new if arrival.event.verdict is Verdict.ACCEPTED}
    INSERT_WAITING.change(db, [(seq,) for seq in sorted(waiting)])
    _count_arrivals(db, [arrival for _, arrival in new])
    return [seq if seq in waiting else None for seq, _ in placed]


SELECT_FROM = "SELECT seq FROM events WHERE seq >= ?"


def stored_numbers(db: sqlite3.Connection, first: int) -> set[int]:
    """Numbers of events stored from `first` on."""
    return {seq for (seq,) in db.execute(SELECT_FROM, (first,))}


UPSERT_LAST_EVENT = """
INSERT INTO last_events (touchpoint, received_at) VALUES (?, ?)
ON CONFLICT (touchpoint) DO UPDATE SET received_at = max(received_at, excluded.received_at)
"""


def _count_arrivals(db: sqlite3.Connection, arrivals: list[Arrival]) -> None:
    changes: Counter[counters.Key] = Counter()
    last: dict[int, Micros] = {}
    for arrival in arrivals:
        event = arrival.event
        if event.verdict is Verdict.REFUSED:
            changes["refused", event.touchpoint] += 1
            add_refusals(db, {(event.touchpoint, event.reason): 1}, event.received_at)
            continue
        if event.verdict is Verdict.ACCEPTED:
            changes["inbox", 0] += 1
        if not event.test and event.received_at > last.get(event.touchpoint, -1):
            last[event.touchpoint] = event.received_at
    counters.add(db, changes)
    db.executemany(UPSERT_LAST_EVENT, last.items())


UPSERT_REFUSALS = """
INSERT INTO refusals (touchpoint, day, reason, n) VALUES (?, ?, ?, ?)
ON CONFLICT (touchpoint, day, reason) DO UPDATE SET n = n + excluded.n
"""


def add_refusals(db: sqlite3.Connection, refusals: Refusals, now: Micros) -> None:
    """Count refused requests on the day of `now`."""
    db.executemany(UPSERT_REFUSALS, [(touchpoint, now // DAY, reason, n) for (touchpoint, reason), n in refusals.items()])


SELECT_WAITING = f"""
SELECT {EVENT_COLUMNS}, i.seq FROM inbox i CROSS JOIN events e ON e.seq = i.seq
WHERE i.seq > ? ORDER BY i.seq LIMIT ?
"""  # noqa: S608 - joins constants; values are bound


def select_waiting(db: sqlite3.Connection, limit: int, after: int) -> list[Waiting]:
    """Events that wait, in order of receipt."""
    return [Waiting(seq=row[-1], event=event_from_row(row)) for row in db.execute(SELECT_WAITING, (after, limit))]

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
from store.sqlite.rows import EVENT_COLUMNS, body_rows, event_from_row, event_row, select_body
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.writer import Writer
from touchpoints.event import Arrival, Event, Verdict
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

    async def body(self, seq: int) -> bytes:
        """See Inbox."""
        return await self._readers.run(partial(select_body, seq=seq))

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
    placed = list(zip(numbers.take(len(arrivals)), [arrival.event for arrival in arrivals], strict=True))
    new = insert_events(db, placed)
    bodies = {seq: arrival.body for (seq, _), arrival in zip(placed, arrivals, strict=True) if seq in new}
    INSERT_BODIES.change(db, [row for seq, body in bodies.items() for row in body_rows(seq, body)])
    return [seq if seq in new and event.verdict is Verdict.ACCEPTED else None for seq, event in placed]


def insert_events(db: sqlite3.Connection, placed: Sequence[tuple[int, Event]]) -> set[int]:
    """Store events without their bodies under new numbers, in order; one whose id is known changes nothing. Which were new.

    Those that are accepted wait from now on, and all are counted.
    """
    inserted = INSERT_EVENTS.change(db, [event_row(seq, event) for seq, event in placed])
    new = {seq for seq, _ in placed} if inserted == len(placed) else stored_numbers(db, placed[0][0])
    events = [(seq, event) for seq, event in placed if seq in new]
    INSERT_WAITING.change(db, [(seq,) for seq, event in events if event.verdict is Verdict.ACCEPTED])
    _count_arrivals(db, [event for _, event in events])
    return new


SELECT_FROM = "SELECT seq FROM events WHERE seq >= ?"


def stored_numbers(db: sqlite3.Connection, first: int) -> set[int]:
    """Numbers of events stored from `first` on."""
    return {seq for (seq,) in db.execute(SELECT_FROM, (first,))}


UPSERT_LAST_EVENT = """
INSERT INTO last_events (touchpoint, received_at) VALUES (?, ?)
ON CONFLICT (touchpoint) DO UPDATE SET received_at = max(received_at, excluded.received_at)
"""


def _count_arrivals(db: sqlite3.Connection, events: list[Event]) -> None:
    changes: Counter[counters.Key] = Counter()
    last: dict[int, Micros] = {}
    for event in events:
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

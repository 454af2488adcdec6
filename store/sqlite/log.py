"""The log in SQLite: lists, timelines and counts. The export's rows are in `export`."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from store.log import Backlog, DestinationBacklog, ExportRow, Filter, Listed, RecordedAttempt, Scanned, Timeline
from store.sqlite import counters
from store.sqlite.connections import Readers
from store.sqlite.export import count_rows, select_rows
from store.sqlite.filters import is_sparse, of_events
from store.sqlite.listing import LISTED_COLUMNS, listed_from_row, select_deliveries
from store.sqlite.rows import (
    Row,
    event_id_of,
    select_body,
)
from store.sqlite.scan import select_reach, select_scanned
from store.sqlite.slices import downward, ends, upward
from store.sqlite.standing import count_held, select_backlog, select_last_events, select_refusals
from touchpoints.attempt import Blame
from touchpoints.moment import Micros


class SqliteLog:
    """See store.log.Log."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def events(self, which: Filter, *, limit: int, before: int | None = None) -> Sequence[Listed]:
        """See Log."""
        found: list[Listed] = []
        low, high = await self._readers.run(ends)
        top = high if before is None else min(before, high)
        for floor, ceiling in downward(low, top, whole=is_sparse(which)):
            work = partial(select_listed, which=which, low=floor, high=ceiling, limit=limit - len(found))
            found += await self._readers.run(work)
            if len(found) >= limit:
                break
        return found

    async def timeline(self, event_id: str) -> Timeline | None:
        """See Log."""
        return await self._readers.run(partial(select_timeline, event_id=event_id_of(event_id)))

    async def last_attempts(self, seqs: Sequence[int]) -> Mapping[str, RecordedAttempt]:
        """See Log."""
        return await self._readers.run(partial(select_last_attempts, seqs=seqs))

    async def find(self, text: str, *, limit: int) -> Sequence[Listed]:
        """See Log. Keys are remembered as long as duplicates are recognised."""
        return await self._readers.run(partial(select_found, text=text, limit=limit))

    async def scan(self, text: bytes, which: Filter, *, before: int | None = None) -> Scanned:
        """See Log."""
        return await self._readers.run(partial(select_scanned, text=text, which=which, before=before))

    async def reach(self, which: Filter) -> tuple[int, int]:
        """See Log."""
        return await self._readers.run(partial(select_reach, since=which.since, until=which.until))

    async def body(self, event_id: str) -> bytes | None:
        """See Log."""
        return await self._readers.run(partial(select_event_body, event_id=event_id_of(event_id)))

    async def rows(self, which: Filter, *, limit: int, after: tuple[int, int, int] = (0, 0, 0)) -> Sequence[ExportRow]:
        """See Log."""
        found: list[ExportRow] = []
        low, high = await self._readers.run(ends)
        for floor, ceiling in upward(max(low, after[0]), high, whole=is_sparse(which)):
            more = True
            while more and len(found) < limit:
                cursor = found[-1].cursor if found else after
                room = min(limit - len(found), 5_000)
                work = partial(select_rows, which=which, low=max(floor, cursor[0]), high=ceiling, after=cursor, limit=room)
                rows = await self._readers.run(work)
                found += rows
                more = len(rows) == room
            if len(found) >= limit:
                break
        return found

    async def count_rows(self, which: Filter, *, most: int | None = None) -> int:
        """See Log."""
        low, high = await self._readers.run(ends)
        total = 0
        for floor, ceiling in upward(low, high, whole=is_sparse(which)):
            if most is not None and total > most:
                break
            total += await self._readers.run(partial(count_rows, which=which, low=floor, high=ceiling))
        return total

    async def backlog(self) -> Backlog:
        """See Log."""
        return await self._readers.run(select_backlog)

    async def count_held(self, *, up_to: int) -> int:
        """See Log."""
        return await self._readers.run(partial(count_held, up_to=up_to))

    async def destinations(self) -> Mapping[int, DestinationBacklog]:
        """See Log."""
        counts: dict[int, dict[str, int]] = defaultdict(lambda: {"pending": 0, "held": 0, "given_up": 0})
        for (state, whose), n in (await self._readers.run(counters.counted)).items():
            if state in ("pending", "held", "given_up"):
                counts[whose][state] = n
        return {destination: DestinationBacklog(**states) for destination, states in counts.items()}

    async def last_events(self) -> Mapping[int, Micros]:
        """See Log. Refused events do not count: anyone can send those."""
        return await self._readers.run(select_last_events)

    async def recent_deliveries(self, touchpoints: Sequence[int], *, limit: int) -> Mapping[int, Sequence[tuple[Micros, str]]]:
        """See Log."""
        return await self._readers.run(partial(select_recent, touchpoints=touchpoints, limit=limit))

    async def refusals(self, touchpoint: int | None = None, *, since: Micros = 0) -> Mapping[tuple[int, str], int]:
        """See Log; counted by whole days of UTC."""
        return await self._readers.run(partial(select_refusals, touchpoint=touchpoint, since=since))


def select_listed(db: sqlite3.Connection, *, which: Filter, low: int, high: int, limit: int) -> list[Listed]:
    """Events of a slice that the filter means, newest first."""
    where = of_events(which, low, high)
    sql = f"SELECT {LISTED_COLUMNS} FROM events e WHERE {where.sql} ORDER BY e.seq DESC LIMIT ?"  # noqa: S608 - joins constants; values are bound
    return [listed_from_row(db, row) for row in db.execute(sql, (*where.parameters, limit)).fetchall()]


SELECT_ONE = f"SELECT {LISTED_COLUMNS} FROM events e WHERE e.id = ?"  # noqa: S608 - joins constants; values are bound
SELECT_DUPLICATES = "SELECT id FROM events WHERE duplicate_of = ? ORDER BY seq LIMIT 100"
SELECT_ITEMS = "SELECT id FROM events WHERE item_of = ? ORDER BY seq"


def select_timeline(db: sqlite3.Connection, event_id: str) -> Timeline | None:
    """One event with everything that happened to it, of its duplicates the first hundred."""
    row = db.execute(SELECT_ONE, (event_id,)).fetchone()
    if row is None:
        return None
    listed = listed_from_row(db, row)
    deliveries = select_deliveries(db, listed.seq, event_id)
    attempts = [attempt for seq, delivery in deliveries for attempt in select_attempts(db, seq, delivery.id)]
    attempts.sort(key=lambda attempt: attempt.started_at)
    duplicates = tuple(an_id for (an_id,) in db.execute(SELECT_DUPLICATES, (listed.seq,)))
    items = tuple(an_id for (an_id,) in db.execute(SELECT_ITEMS, (listed.seq,)))
    return Timeline(listed=listed, attempts=tuple(attempts), duplicates=duplicates, items=items)


SELECT_ATTEMPTS = """
SELECT place & 65535, started_at, duration, outcome, blame, http_status, error_code, error, answer, next_attempt_at
FROM attempts WHERE place >= ? AND place < ? ORDER BY place
"""


def select_attempts(db: sqlite3.Connection, delivery_seq: int, delivery_id: str) -> list[RecordedAttempt]:
    """The attempts of one delivery, in order."""
    rows = db.execute(SELECT_ATTEMPTS, (delivery_seq << 16, (delivery_seq + 1) << 16))
    return [_attempt(row, delivery_id) for row in rows]


def _attempt(row: Row, delivery_id: str) -> RecordedAttempt:
    return RecordedAttempt(
        delivery_id=delivery_id,
        number=row[0],
        started_at=row[1],
        duration=row[2],
        outcome=row[3],
        blame=None if row[4] is None else Blame(row[4]),
        http_status=row[5],
        error_code=row[6],
        error=row[7],
        answer=row[8],
        next_attempt_at=row[9],
    )


SELECT_LAST_ATTEMPTS = """
SELECT a.place & 65535, a.started_at, a.duration, a.outcome, a.blame, a.http_status, a.error_code, a.error, a.answer,
    a.next_attempt_at, d.id
FROM deliveries d JOIN attempts a
    ON a.place = (SELECT max(l.place) FROM attempts l WHERE l.place >= d.seq << 16 AND l.place < (d.seq + 1) << 16)
WHERE d.event_seq IN (SELECT value FROM json_each(?))
"""


def select_last_attempts(db: sqlite3.Connection, *, seqs: Sequence[int]) -> dict[str, RecordedAttempt]:
    """The latest attempt of every delivery of these events."""
    rows = db.execute(SELECT_LAST_ATTEMPTS, (json.dumps(list(seqs)),))
    return {row[10]: _attempt(row, row[10]) for row in rows}


SELECT_FOUND = f"""
WITH meant (seq) AS (
    SELECT seq FROM events WHERE id = :id
    UNION SELECT seq FROM (SELECT seq FROM events WHERE reference = :text ORDER BY seq DESC LIMIT :limit)
    UNION SELECT c.event_seq FROM claims c WHERE c.dedup_key = :text AND c.touchpoint IN (SELECT touchpoint FROM last_events)
)
SELECT {LISTED_COLUMNS} FROM events e WHERE e.seq IN (SELECT seq FROM meant) ORDER BY e.seq DESC LIMIT :limit
"""  # noqa: S608 - joins constants; values are bound


def select_found(db: sqlite3.Connection, *, text: str, limit: int) -> list[Listed]:
    """Events whose id, reference or recent dedup key is this text."""
    named = {"id": event_id_of(text.lower()), "text": text, "limit": limit}
    return [listed_from_row(db, row) for row in db.execute(SELECT_FOUND, named).fetchall()]


SELECT_KEPT = "SELECT seq FROM events WHERE id = ? AND body_kept = 1"


def select_event_body(db: sqlite3.Connection, event_id: str) -> bytes | None:
    """The body of one event, where it is still stored."""
    row = db.execute(SELECT_KEPT, (event_id,)).fetchone()
    return None if row is None else select_body(db, row[0])


SELECT_RECENT = """
SELECT e.received_at, d.state
FROM (SELECT seq, received_at, test FROM events WHERE touchpoint = ? ORDER BY seq DESC LIMIT 300) e
JOIN deliveries d ON d.event_seq = e.seq WHERE e.test = 0 ORDER BY e.seq DESC, d.seq DESC LIMIT ?
"""


def select_recent(db: sqlite3.Connection, *, touchpoints: Sequence[int], limit: int) -> dict[int, Sequence[tuple[Micros, str]]]:
    """(received_at, state) of the last deliveries of each touchpoint, oldest first."""
    return {one: db.execute(SELECT_RECENT, (one, limit)).fetchall()[::-1] for one in touchpoints}

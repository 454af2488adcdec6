"""The log in SQLite: lists, timelines and counts. The export's rows are in `export`."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from store.log import Backlog, DestinationBacklog, ExportRow, Filter, Listed, RecordedAttempt, Timeline
from store.sqlite import counters
from store.sqlite.connections import Readers
from store.sqlite.export import count_rows, select_rows
from store.sqlite.filters import is_sparse, of_events
from store.sqlite.rows import (
    DELIVERY_COLUMNS,
    EVENT_COLUMNS,
    EVENT_WIDTH,
    Row,
    delivery_from_row,
    event_from_row,
    event_id_of,
    select_body,
)
from store.sqlite.slices import downward, ends, upward
from touchpoints.attempt import Blame
from touchpoints.delivery import Delivery
from touchpoints.moment import DAY, Micros


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

    async def count_rows(self, which: Filter) -> int:
        """See Log."""
        low, high = await self._readers.run(ends)
        total = 0
        for floor, ceiling in upward(low, high, whole=is_sparse(which)):
            total += await self._readers.run(partial(count_rows, which=which, low=floor, high=ceiling))
        return total

    async def backlog(self) -> Backlog:
        """See Log."""
        return await self._readers.run(select_backlog)

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

    async def refusals(self, touchpoint: int | None = None, *, since: Micros = 0) -> Mapping[tuple[int, str], int]:
        """See Log; counted by whole days of UTC."""
        return await self._readers.run(partial(select_refusals, touchpoint=touchpoint, since=since))


LISTED_COLUMNS = f"""
{EVENT_COLUMNS}, e.seq, (SELECT o.id FROM events o WHERE o.seq = e.duplicate_of), e.flags,
EXISTS (SELECT 1 FROM inbox i WHERE i.seq = e.seq)
"""  # noqa: S608 - joins constants; values are bound


def select_listed(db: sqlite3.Connection, *, which: Filter, low: int, high: int, limit: int) -> list[Listed]:
    """Events of a slice that the filter means, newest first."""
    where = of_events(which, low, high)
    sql = f"SELECT {LISTED_COLUMNS} FROM events e WHERE {where.sql} ORDER BY e.seq DESC LIMIT ?"  # noqa: S608 - joins constants; values are bound
    return [_listed(db, row) for row in db.execute(sql, (*where.parameters, limit)).fetchall()]


def _listed(db: sqlite3.Connection, row: Row) -> Listed:
    event = event_from_row(row)
    seq, duplicate_of, flags, waiting = row[EVENT_WIDTH:]
    return Listed(
        seq=seq,
        event=event,
        duplicate_of=duplicate_of,
        flags=tuple(flags.split()),
        waiting=waiting == 1,
        deliveries=tuple(delivery for _, delivery in select_deliveries(db, seq, event.id)),
    )


SELECT_DELIVERIES = f"SELECT {DELIVERY_COLUMNS} FROM deliveries d WHERE d.event_seq = ? ORDER BY d.seq"  # noqa: S608 - joins constants; values are bound


def select_deliveries(db: sqlite3.Connection, event_seq: int, event_id: str) -> list[tuple[int, Delivery]]:
    """(seq, delivery) of one event, in order of planning."""
    return [(row[0], delivery_from_row(row, event_id)) for row in db.execute(SELECT_DELIVERIES, (event_seq,))]


SELECT_ONE = f"SELECT {LISTED_COLUMNS} FROM events e WHERE e.id = ?"  # noqa: S608 - joins constants; values are bound
SELECT_DUPLICATES = "SELECT id FROM events WHERE duplicate_of = ? ORDER BY seq LIMIT 100"


def select_timeline(db: sqlite3.Connection, event_id: str) -> Timeline | None:
    """One event with everything that happened to it, of its duplicates the first hundred."""
    row = db.execute(SELECT_ONE, (event_id,)).fetchone()
    if row is None:
        return None
    listed = _listed(db, row)
    deliveries = select_deliveries(db, listed.seq, event_id)
    attempts = [attempt for seq, delivery in deliveries for attempt in select_attempts(db, seq, delivery.id)]
    attempts.sort(key=lambda attempt: attempt.started_at)
    duplicates = tuple(an_id for (an_id,) in db.execute(SELECT_DUPLICATES, (listed.seq,)))
    return Timeline(listed=listed, attempts=tuple(attempts), duplicates=duplicates)


SELECT_ATTEMPTS = """
SELECT place & 65535, started_at, duration, outcome, blame, http_status, error_code, error, answer, next_attempt_at
FROM attempts WHERE place >= ? AND place < ? ORDER BY place
"""


def select_attempts(db: sqlite3.Connection, delivery_seq: int, delivery_id: str) -> list[RecordedAttempt]:
    """The attempts of one delivery, in order."""
    rows = db.execute(SELECT_ATTEMPTS, (delivery_seq << 16, (delivery_seq + 1) << 16))
    return [
        RecordedAttempt(
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
        for row in rows
    ]


SELECT_KEPT = "SELECT seq FROM events WHERE id = ? AND body_kept = 1"


def select_event_body(db: sqlite3.Connection, event_id: str) -> bytes | None:
    """The body of one event, where it is still stored."""
    row = db.execute(SELECT_KEPT, (event_id,)).fetchone()
    return None if row is None else select_body(db, row[0])


SELECT_OLDEST = """
SELECT min(received_at) FROM events WHERE seq IN (
    (SELECT min(seq) FROM inbox),
    (SELECT min(event_seq) FROM deliveries WHERE state = 'pending' AND state != 'delivered'),
    (SELECT min(event_seq) FROM deliveries WHERE state = 'held' AND state != 'delivered'))
"""


def select_backlog(db: sqlite3.Connection) -> Backlog:
    """What is not settled, over all."""
    total: dict[str, int] = defaultdict(int)
    for (state, _), n in counters.counted(db).items():
        total[state] += n
    (oldest_at,) = db.execute(SELECT_OLDEST).fetchone()
    return Backlog(
        inbox=total["inbox"],
        outbox=total["pending"],
        held=total["held"],
        given_up=total["given_up"],
        refused=total["refused"],
        oldest_at=oldest_at,
    )


SELECT_LAST_EVENTS = "SELECT touchpoint, received_at FROM last_events"


def select_last_events(db: sqlite3.Connection) -> dict[int, Micros]:
    """The last received event of every touchpoint."""
    return dict(db.execute(SELECT_LAST_EVENTS).fetchall())


SELECT_REFUSALS = """
SELECT touchpoint, reason, sum(n) FROM refusals
WHERE touchpoint = coalesce(?, touchpoint) AND day >= ? GROUP BY touchpoint, reason
"""


def select_refusals(db: sqlite3.Connection, *, touchpoint: int | None, since: Micros) -> dict[tuple[int, str], int]:
    """How many requests were refused, by touchpoint and reason."""
    return {(who, reason): n for who, reason, n in db.execute(SELECT_REFUSALS, (touchpoint, since // DAY))}

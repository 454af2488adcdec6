"""What a person does, in SQLite: candidates are read apart, then checked again in the transaction that changes them."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from store.actions import Done
from store.log import Filter
from store.sqlite import counters
from store.sqlite.connections import Readers
from store.sqlite.filters import VERDICTS, Where, is_sparse, of_events, of_rows
from store.sqlite.listing import select_deliveries
from store.sqlite.outbox import insert_deliveries
from store.sqlite.rows import EVENT_COLUMNS, EVENT_WIDTH, event_from_row, select_body, text, text_or_none
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.slices import ends, upward
from store.sqlite.writer import Writer
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import Event, Verdict
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

MOST = 5_000  # changed by one call
PART = 500  # changed by one transaction, so that what arrives meanwhile hardly waits
MOST_BYTES = 32 * 1024 * 1024  # bodies given out at once

Found = tuple[int, str]  # (seq, id) of a delivery or a refused event


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of state: which states it applies to, and the one it leads to. `due`: it makes the delivery due now."""

    sources: tuple[DeliveryState, ...]
    target: DeliveryState
    due: bool = False


HOLD = Move(sources=(DeliveryState.PENDING,), target=DeliveryState.HELD)
RELEASE = Move(sources=(DeliveryState.HELD,), target=DeliveryState.PENDING, due=True)
RETRY = Move(sources=(DeliveryState.PENDING,), target=DeliveryState.PENDING, due=True)
GIVE_UP = Move(sources=(DeliveryState.PENDING, DeliveryState.HELD), target=DeliveryState.GIVEN_UP)
DISMISS = Move(sources=(DeliveryState.GIVEN_UP, DeliveryState.HELD), target=DeliveryState.DISMISSED)


class SqliteActions:
    """See store.actions.Actions. `matched` counts what an action does not apply to only where ids or a reference are given."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers

    async def hold(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """See Actions."""
        return await self._move(HOLD, which, now, dry_run)

    async def release(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """See Actions."""
        return await self._move(RELEASE, which, now, dry_run)

    async def retry_now(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """See Actions."""
        return await self._move(RETRY, which, now, dry_run)

    async def give_up(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """See Actions."""
        return await self._move(GIVE_UP, which, now, dry_run)

    async def dismiss(self, which: Filter, *, now: Micros, dry_run: bool) -> Done:
        """See Actions."""
        moved = await self._move(DISMISS, which, now, dry_run)
        if which.state not in (None, "refused") or which.destination is not None:
            return moved
        found = await self._readers.run(partial(select_undismissed, which=which, limit=None if dry_run else MOST + 1))
        changed = len(found) if dry_run else await self._in_parts(found[:MOST], dismiss_refused)
        both = (*moved.ids, *[an_id for _, an_id in found])[:100]
        return Done(
            matched=moved.matched + changed,
            changed=moved.changed + changed,
            skipped=moved.skipped,
            ids=both,
            more=moved.more or (not dry_run and len(found) > MOST),
        )

    async def replayable(
        self, which: Filter, *, limit: int, after: int = 0
    ) -> Sequence[tuple[int, Event, tuple[Delivery, ...]]]:
        """See Actions. Duplicates and filtered events as well; not what was refused, was split or still waits in the inbox."""
        found: list[tuple[int, Event, tuple[Delivery, ...]]] = []
        low, high = await self._readers.run(ends)
        for floor, ceiling in upward(max(low, after + 1), high, whole=is_sparse(which)):
            work = partial(select_replayable, which=which, low=floor, high=ceiling, limit=limit - len(found))
            found += await self._readers.run(work)
            if len(found) >= limit:
                break
        return found

    async def count_replayable(self, which: Filter) -> Mapping[tuple[int, Verdict], int]:
        """See Actions."""
        total: Counter[tuple[int, Verdict]] = Counter()
        low, high = await self._readers.run(ends)
        for floor, ceiling in upward(low, high, whole=is_sparse(which)):
            total.update(await self._readers.run(partial(count_replayable, which=which, low=floor, high=ceiling)))
        return total

    async def refused(self, which: Filter, *, limit: int, after: int = 0) -> Sequence[tuple[int, Event, bytes]]:
        """See Actions. May give fewer than `limit` where bodies are large; nothing more only when it gives none."""
        return await self._readers.run(partial(select_refused, which=which, limit=limit, after=after))

    async def add_run(self, seq: int, deliveries: Sequence[Delivery]) -> None:
        """See Actions. Raises ProblemError(body_pruned)."""
        await self._writer.run(partial(add_deliveries, event_seq=seq, deliveries=deliveries, numbers=self._numbers))

    async def accept(self, seq: int, event: Event) -> None:
        """See Actions. Raises ProblemError(body_pruned)."""
        await self._writer.submit(accept_refused, (seq, event))

    async def _move(self, move: Move, which: Filter, now: Micros, dry_run: bool) -> Done:
        found = await self._readers.run(
            partial(select_movable, move=move, which=which, now=now, limit=None if dry_run else MOST + 1)
        )
        changed = len(found) if dry_run else await self._in_parts(found[:MOST], partial(move_deliveries, move=move, now=now))
        matched = await self._readers.run(partial(count_matched, which=which)) if is_sparse(which) else len(found)
        return Done(
            matched=max(matched, changed),
            changed=changed,
            skipped=max(matched - len(found), 0),
            ids=tuple(an_id for _, an_id in found[:100]),
            more=not dry_run and len(found) > MOST,
        )

    async def _in_parts(self, found: Sequence[Found], change: Callable[..., int]) -> int:
        changed = 0
        for start in range(0, len(found), PART):
            seqs = [seq for seq, _ in found[start : start + PART]]
            changed += await self._writer.run(partial(change, seqs=seqs))
        return changed


def select_movable(db: sqlite3.Connection, *, move: Move, which: Filter, now: Micros, limit: int | None) -> list[Found]:
    """Deliveries that a move applies to, by state and order of receipt; for a retry those that aren't due yet."""
    found: list[Found] = []
    for state in move.sources:
        sql, parameters = _movable(state, which)
        if move.target is state:
            sql, parameters = f"{sql} AND d.due_at > ?", (*parameters, now)
        left = -1 if limit is None else limit - len(found)
        found += db.execute(f"{sql} ORDER BY d.event_seq LIMIT ?", (*parameters, left))
    return found


SELECT_MOVABLE_OF_EVENTS = "SELECT d.seq, d.id FROM events e CROSS JOIN deliveries d ON d.event_seq = e.seq"
SELECT_MOVABLE = "SELECT d.seq, d.id FROM deliveries d INDEXED BY deliveries_open CROSS JOIN events e ON e.seq = d.event_seq"


def _movable(state: DeliveryState, which: Filter) -> tuple[str, tuple[object, ...]]:
    select = SELECT_MOVABLE_OF_EVENTS if is_sparse(which) else SELECT_MOVABLE
    events, rows = _events_but_state(which), of_rows(which)
    sql = f"{select} WHERE d.state = ? AND d.state != 'delivered' AND {events.sql} AND {rows.sql}"
    return sql, (state.value, *events.parameters, *rows.parameters)


def _events_but_state(which: Filter) -> Where:
    """Conditions on the event; the state is asked of the delivery itself."""
    stateless = Filter(
        ids=which.ids,
        reference=which.reference,
        dedup_key=which.dedup_key,
        since=which.since,
        until=which.until,
        touchpoint=which.touchpoint,
        tests=which.tests,
        above=which.above,
    )
    where = of_events(stateless, 0, 2**62)
    verdict = which.state if which.state in VERDICTS else None
    return where if verdict is None else Where(f"{where.sql} AND e.verdict = ?", (*where.parameters, verdict))


def count_matched(db: sqlite3.Connection, *, which: Filter) -> int:
    """How many deliveries a filter by id or reference means, in whatever state."""
    events, rows = of_events(which, 0, 2**62), of_rows(which)
    sql = f"SELECT count(*) FROM events e CROSS JOIN deliveries d ON d.event_seq = e.seq WHERE {events.sql} AND {rows.sql}"  # noqa: S608 - joins constants; values are bound
    (count,) = db.execute(sql, events.parameters + rows.parameters).fetchone()
    return int(count)


UPDATE_STATE = "UPDATE deliveries SET state = ?, due_at = coalesce(?, due_at), settled_at = ? WHERE seq = ?"
SELECT_STATE = "SELECT state, destination FROM deliveries WHERE seq = ?"


def move_deliveries(db: sqlite3.Connection, *, seqs: Sequence[int], move: Move, now: Micros) -> int:
    """Move those deliveries that are still in a state the move applies to; how many that were."""
    changes: Counter[counters.Key] = Counter()
    changed = 0
    settled_at = now if move.target is DeliveryState.DISMISSED else None
    for seq in seqs:
        row = db.execute(SELECT_STATE, (seq,)).fetchone()
        if row is None or row[0] not in move.sources:
            continue
        db.execute(UPDATE_STATE, (move.target.value, now if move.due else None, settled_at, seq))
        changes[row[0], row[1]] -= 1
        if move.target is not DeliveryState.DISMISSED:
            changes[move.target.value, row[1]] += 1
        changed += 1
    counters.add(db, changes)
    return changed


KEPT_REFUSED = "e.verdict = 'refused' AND e.body_kept = 1"


def select_undismissed(db: sqlite3.Connection, *, which: Filter, limit: int | None) -> list[Found]:
    """Refused events that a person is still told about."""
    where = _events_but_state(which)
    sql = f"SELECT e.seq, e.id FROM events e WHERE {KEPT_REFUSED} AND instr(e.flags, 'dismissed') = 0 AND {where.sql} LIMIT ?"  # noqa: S608 - joins constants; values are bound
    return db.execute(sql, (*where.parameters, -1 if limit is None else limit)).fetchall()


UPDATE_DISMISSED = """
UPDATE events SET flags = trim(flags || ' dismissed')
WHERE seq = ? AND verdict = 'refused' AND body_kept = 1 AND instr(flags, 'dismissed') = 0 RETURNING touchpoint
"""


def dismiss_refused(db: sqlite3.Connection, *, seqs: Sequence[int]) -> int:
    """Dismiss refused events; how many that were."""
    rows = [row for seq in seqs for row in db.execute(UPDATE_DISMISSED, (seq,)).fetchall()]
    counters.add(db, {("refused", touchpoint): -n for (touchpoint,), n in Counter(rows).items()})
    return len(rows)


# A split event runs as its items.
REPLAYABLE = (
    "e.verdict NOT IN ('refused', 'split') AND e.body_kept = 1 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.seq = e.seq)"
)


def select_replayable(
    db: sqlite3.Connection, *, which: Filter, low: int, high: int, limit: int
) -> list[tuple[int, Event, tuple[Delivery, ...]]]:
    """Events of a slice that can be planned anew."""
    where = of_events(which, low, high)
    sql = f"SELECT {EVENT_COLUMNS}, e.seq FROM events e WHERE {REPLAYABLE} AND {where.sql} ORDER BY e.seq LIMIT ?"  # noqa: S608 - joins constants; values are bound
    found = []
    for row in db.execute(sql, (*where.parameters, limit)).fetchall():
        event, seq = event_from_row(row), row[EVENT_WIDTH]
        found.append((seq, event, tuple(delivery for _, delivery in select_deliveries(db, seq, event.id))))
    return found


def count_replayable(db: sqlite3.Connection, *, which: Filter, low: int, high: int) -> dict[tuple[int, Verdict], int]:
    """How many events of a slice can be planned anew, by touchpoint and verdict."""
    where = of_events(which, low, high)
    sql = f"SELECT e.touchpoint, e.verdict, count(*) FROM events e WHERE {REPLAYABLE} AND {where.sql} GROUP BY 1, 2"  # noqa: S608 - joins constants; values are bound
    return {(touchpoint, Verdict(verdict)): n for touchpoint, verdict, n in db.execute(sql, where.parameters)}


def select_refused(db: sqlite3.Connection, *, which: Filter, limit: int, after: int) -> list[tuple[int, Event, bytes]]:
    """Refused events with their bodies, in order of receipt."""
    where = _events_but_state(which)
    sql = (
        f"SELECT {EVENT_COLUMNS}, e.seq FROM events e WHERE {KEPT_REFUSED} AND e.seq > ? AND {where.sql} ORDER BY e.seq LIMIT ?"  # noqa: S608 - joins constants; values are bound
    )
    found: list[tuple[int, Event, bytes]] = []
    room = MOST_BYTES
    for row in db.execute(sql, (after, *where.parameters, limit)).fetchall():
        event, seq = event_from_row(row), row[EVENT_WIDTH]
        room -= event.body_bytes
        if found and room < 0:
            break
        found.append((seq, event, select_body(db, seq)))
    return found


SELECT_KEPT = "SELECT touchpoint, verdict, flags FROM events WHERE seq = ? AND body_kept = 1"
SELECT_KNOWN = "SELECT id FROM deliveries WHERE event_seq = ?"


def add_deliveries(db: sqlite3.Connection, *, event_seq: int, deliveries: Sequence[Delivery], numbers: Numbers) -> None:
    """Add those deliveries that the event doesn't have yet."""
    if db.execute(SELECT_KEPT, (event_seq,)).fetchone() is None:
        raise ProblemError(problem("body_pruned"))
    known = {an_id for (an_id,) in db.execute(SELECT_KNOWN, (event_seq,))}
    insert_deliveries(db, [(event_seq, delivery) for delivery in deliveries if delivery.id not in known], numbers)


UPDATE_ACCEPTED = """
UPDATE events SET verdict = 'accepted', reason = '', event_type = ?, dedup_key = ?, reference = ?, id_signed = ?, hop = ?,
    flags = trim(replace(flags, 'dismissed', '')) WHERE seq = ?
"""
INSERT_WAITING = "INSERT INTO inbox (seq) VALUES (?)"


def accept_refused(db: sqlite3.Connection, items: list[tuple[int, Event]]) -> list[None]:
    """Put refused events into the inbox; one that isn't refused any more is left as it is."""
    for seq, event in items:
        _accept(db, seq, event)
    return [None] * len(items)


def _accept(db: sqlite3.Connection, seq: int, event: Event) -> None:
    row = db.execute(SELECT_KEPT, (seq,)).fetchone()
    if row is None:
        raise ProblemError(problem("body_pruned"))
    touchpoint, verdict, flags = row
    if verdict != "refused":
        return
    read_out = (text(event.event_type), text_or_none(event.dedup_key), text_or_none(event.reference))
    values = (*read_out, int(event.id_signed), event.hop, seq)
    db.execute(UPDATE_ACCEPTED, values)
    db.execute(INSERT_WAITING, (seq,))
    counters.add(db, {("inbox", 0): 1, ("refused", touchpoint): 0 if "dismissed" in flags else -1})

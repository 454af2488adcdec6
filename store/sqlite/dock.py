"""The dock in SQLite: pulled events, apart from all others until they are surely ours."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from store.dock import Berth, Landed
from store.inbox import Waiting
from store.sqlite.bulk import Bulk
from store.sqlite.connections import Readers
from store.sqlite.inbox import insert_events
from store.sqlite.lacking import adopt_lacking, count_lacking
from store.sqlite.recent import Recent
from store.sqlite.rows import EVENT_COLUMNS, body_rows, event_from_row, event_row
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.settled import Settled
from store.sqlite.sources import Source, note_released, note_seen, select_source, select_sources
from store.sqlite.writer import Writer
from touchpoints.event import Verdict

Landing = tuple[str, str, int, Sequence[Landed]]
Order = tuple[str, str, int, int]  # proxy, incarnation, epoch, number
Moved = tuple[int, list[Waiting]]  # how many were released, and those of them that wait now


class SqliteDock:
    """See store.dock.Dock. Nothing else reads what is docked: no list, no search, no export, no count, no retention."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers, recent: Recent) -> None:
        self._writer = writer
        self._readers = readers
        self._recent = recent
        self._release = partial(release_docked, numbers=numbers)
        self._settled = Settled(writer, readers)
        writer.watch(self._release, self._released)

    async def put(self, proxy: str, incarnation: str, epoch: int, landed: Sequence[Landed]) -> None:
        """See Dock."""
        size = sum(len(one.arrival.body) + 2048 for one in landed)
        await self._writer.submit(dock_landings, (proxy, incarnation, epoch, landed), size)

    async def release(self, proxy: str, incarnation: str, epoch: int, *, to: int) -> int:
        """See Dock."""
        released, _ = await self._writer.submit(self._release, (proxy, incarnation, epoch, to))
        return released

    async def drop(self, proxy: str, incarnation: str, epoch: int) -> int:
        """See Dock."""
        return await self._writer.run(partial(drop_docked, proxy=proxy, incarnation=incarnation, epoch=epoch))

    async def berths(self) -> Sequence[Berth]:
        """See Dock."""
        return await self._readers.run(select_berths)

    async def seen(self, proxy: str, incarnation: str) -> tuple[int, str]:
        """See Dock."""
        source = await self._readers.run(partial(select_source, proxy=proxy, incarnation=incarnation))
        return (source.seen, source.seen_id) if source else (0, "")

    async def incarnation(self, proxy: str) -> str:
        """See Dock."""
        sources = await self._readers.run(partial(select_sources, proxy=proxy))
        return sources[-1].incarnation if sources else ""

    async def settled(self, proxy: str, incarnation: str) -> tuple[int, int]:
        """See Dock. The count may still hold some that settled since the last calls."""
        return await self._settled.look(proxy, incarnation)

    async def lacking(self) -> Mapping[int, int]:
        """See Dock."""
        return await self._readers.run(count_lacking)

    async def adopt(self, old: int, new: int) -> int:
        """See Dock. In slices, each true in itself."""
        return 0 if old == new else await self._writer.repeat(partial(adopt_lacking, old=old, new=new))

    def _released(self, orders: Sequence[Order], results: Sequence[object] | None) -> None:
        if results is None:  # it is not known what was released
            self._recent.forget()
            return
        for _, result in zip(orders, results, strict=True):
            if isinstance(result, tuple):
                self._recent.add(result[1])


INSERT_DOCKED = Bulk(
    """
INSERT INTO docked (place, source, epoch, number, id, touchpoint, received_at, arrived_by, verdict, reason, method, target,
    headers, remote, event_type, dedup_key, reference, body_bytes, body_hash, id_signed, test, hop)
VALUES {rows}
""",
    22,
)
INSERT_BODIES = Bulk("INSERT INTO docked_bodies (place, data) VALUES {rows}", 2)
SELECT_KNOWN = "SELECT id FROM events WHERE id IN (SELECT value FROM json_each(?))"
SELECT_PLACES = "SELECT place FROM docked WHERE id IN (SELECT value FROM json_each(?))"
SELECT_LAST_PLACE = "SELECT coalesce(max(place), 0) FROM docked"


def dock_landings(db: sqlite3.Connection, landings: list[Landing]) -> list[None]:
    """Store what was pulled; what came before under another lease lies under this one from now on."""
    for proxy, incarnation, epoch, landed in landings:
        if landed:
            last = max(landed, key=lambda one: one.seq)
            source = note_seen(db, proxy, incarnation, last.seq, last.arrival.event.id)
            _dock(db, source, epoch, landed)
    return [None] * len(landings)


def _dock(db: sqlite3.Connection, source: int, epoch: int, landed: Sequence[Landed]) -> None:
    by_id = {one.arrival.event.id: one for one in landed}
    ids = json.dumps(list(by_id))
    for (known,) in db.execute(SELECT_KNOWN, (ids,)).fetchall():
        del by_id[known]
    _forget(db, [place for (place,) in db.execute(SELECT_PLACES, (ids,)).fetchall()])
    (last,) = db.execute(SELECT_LAST_PLACE).fetchone()
    placed = list(enumerate(by_id.values(), last + 1))
    INSERT_DOCKED.change(db, [(place, source, epoch, one.seq, *event_row(0, one.arrival.event)[1:]) for place, one in placed])
    INSERT_BODIES.change(db, [row for place, one in placed for row in body_rows(place, one.arrival.body)])


DELETE_DOCKED = "DELETE FROM docked WHERE place IN (SELECT value FROM json_each(?))"
DELETE_BODIES = """
DELETE FROM docked_bodies WHERE place IN
    (SELECT b.place FROM json_each(?) j
    CROSS JOIN docked_bodies b ON b.place >= j.value << 16 AND b.place < (j.value + 1) << 16)
"""


def _forget(db: sqlite3.Connection, places: Sequence[int]) -> None:
    if places:
        db.execute(DELETE_BODIES, (json.dumps(places),))
        db.execute(DELETE_DOCKED, (json.dumps(places),))


SELECT_DOCKED = f"""
SELECT {EVENT_COLUMNS}, e.place, e.number FROM docked e
WHERE e.source = ? AND e.epoch = ? AND e.number <= ? ORDER BY e.number, e.place
"""  # noqa: S608 - joins constants; values are bound
MOVE_BODIES = """
INSERT INTO bodies (place, data)
SELECT json_extract(j.value, '$[1]') << 16 | (b.place & 65535), b.data FROM json_each(?) j CROSS JOIN docked_bodies b
    ON b.place >= json_extract(j.value, '$[0]') << 16 AND b.place < (json_extract(j.value, '$[0]') + 1) << 16
"""
INSERT_PULLED = Bulk("INSERT INTO pulled (source, number, event_seq) VALUES {rows}", 3)


def release_docked(db: sqlite3.Connection, orders: list[Order], *, numbers: Numbers) -> list[Moved]:
    """Move events on into `events` and the inbox, under numbers of their own, in the proxy's order."""
    return [_release(db, order, numbers) for order in orders]


def _release(db: sqlite3.Connection, order: Order, numbers: Numbers) -> Moved:
    proxy, incarnation, epoch, to = order
    source = select_source(db, proxy=proxy, incarnation=incarnation)
    rows = db.execute(SELECT_DOCKED, (source.id, epoch, to)).fetchall() if source else []
    if not source or not rows:
        return 0, []
    seqs = numbers.take(len(rows))
    placed = [(seq, event_from_row(row)) for seq, row in zip(seqs, rows, strict=True)]
    new = insert_events(db, placed)
    moving = [(row[-2], seq) for seq, row in zip(seqs, rows, strict=True) if seq in new]
    db.execute(MOVE_BODIES, (json.dumps(moving),))
    _forget(db, [row[-2] for row in rows])
    waiting = [Waiting(seq=seq, event=event) for seq, event in placed if seq in new and event.verdict is Verdict.ACCEPTED]
    at = {seq: row[-1] for seq, row in zip(seqs, rows, strict=True)}
    INSERT_PULLED.change(db, [(source.id, at[one.seq], one.seq) for one in waiting])
    note_released(db, source, to=rows[-1][-1], count=len(waiting))
    return len(rows), waiting


SELECT_BERTH = "SELECT place FROM docked WHERE source = ? AND epoch = ?"


def drop_docked(db: sqlite3.Connection, *, proxy: str, incarnation: str, epoch: int) -> int:
    """Forget a berth; how many events that were."""
    source: Source | None = select_source(db, proxy=proxy, incarnation=incarnation)
    places = [place for (place,) in db.execute(SELECT_BERTH, (source.id, epoch)).fetchall()] if source else []
    _forget(db, places)
    return len(places)


SELECT_BERTHS = """
SELECT s.proxy, s.incarnation, d.epoch, max(d.number), d.id, count(*) FROM docked d CROSS JOIN sources s ON s.id = d.source
GROUP BY d.source, d.epoch ORDER BY d.source, d.epoch
"""


def select_berths(db: sqlite3.Connection) -> list[Berth]:
    """Every lease with events that are not released."""
    return [
        Berth(proxy=proxy, incarnation=incarnation, epoch=epoch, stored=stored, last_id=last_id, waiting=waiting)
        for proxy, incarnation, epoch, stored, last_id, waiting in db.execute(SELECT_BERTHS)  # a bare column is max()'s row's
    ]

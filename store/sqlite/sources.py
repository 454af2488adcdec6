"""The incarnations of proxies that events were pulled from, and how far each has come."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One incarnation of one proxy; numbers are its own."""

    id: int
    incarnation: str
    seen: int  # the highest ever stored
    seen_id: str  # its event's
    released: int  # the highest that ever went on
    unsettled: int


SELECT_SOURCES = "SELECT id, incarnation, seen, seen_id, released, unsettled FROM sources WHERE proxy = ? ORDER BY id"


def select_sources(db: sqlite3.Connection, *, proxy: str) -> list[Source]:
    """The incarnations of a proxy, in the order they were met."""
    return [Source(*row) for row in db.execute(SELECT_SOURCES, (proxy,))]


SELECT_SOURCE = "SELECT id, incarnation, seen, seen_id, released, unsettled FROM sources WHERE proxy = ? AND incarnation = ?"


def select_source(db: sqlite3.Connection, *, proxy: str, incarnation: str) -> Source | None:
    """One incarnation; None when nothing of it was ever stored."""
    row = db.execute(SELECT_SOURCE, (proxy, incarnation)).fetchone()
    return Source(*row) if row else None


UPSERT_SOURCE = """
INSERT INTO sources (proxy, incarnation, seen, seen_id) VALUES (?, ?, ?, ?)
ON CONFLICT (proxy, incarnation) DO UPDATE SET seen = max(seen, excluded.seen),
    seen_id = iif(excluded.seen >= seen, excluded.seen_id, seen_id) RETURNING id
"""


def note_seen(db: sqlite3.Connection, proxy: str, incarnation: str, number: int, event_id: str) -> int:
    """Something of an incarnation is stored, up to an event's number; the incarnation's id here."""
    ((source,),) = db.execute(UPSERT_SOURCE, (proxy, incarnation, number, event_id)).fetchall()
    return int(source)


UPDATE_RELEASED = "UPDATE sources SET released = max(released, ?), unsettled = unsettled + ? WHERE id = ?"


def note_released(db: sqlite3.Connection, source: Source, *, to: int, count: int) -> None:
    """Events up to `to` went on, of which `count` are to be settled."""
    db.execute(UPDATE_RELEASED, (to, count, source.id))

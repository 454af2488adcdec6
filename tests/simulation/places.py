"""Where events are: read from the files themselves, as they stand between two steps."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in an agent's file."""

    id: str
    key: str | None
    verdict: str
    inbox: bool
    open: int  # deliveries that are pending, held or given up
    settled: int


def _rows(path: Path, question: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


EVENTS = """
SELECT e.id, e.dedup_key, e.verdict, i.seq IS NOT NULL,
    (SELECT count(*) FROM deliveries d WHERE d.event_seq = e.seq AND d.state IN ('pending', 'held', 'given_up')),
    (SELECT count(*) FROM deliveries d WHERE d.event_seq = e.seq AND d.state NOT IN ('pending', 'held', 'given_up'))
FROM events e LEFT JOIN inbox i ON i.seq = e.seq
"""


def kept(folder: Path) -> list[Kept]:
    """Every event of an agent."""
    return [Kept(*row) for row in _rows(folder / "events.db", EVENTS)]


def docked(folder: Path) -> set[str]:
    """Events an agent has stored and the proxy not yet confirmed."""
    return {row[0] for row in _rows(folder / "events.db", "SELECT id FROM docked")}


def queued(folder: Path) -> set[str]:
    """Events that wait at the proxy."""
    question = "SELECT m.id FROM messages m JOIN lanes l USING (organisation) WHERE m.seq > l.acknowledged"
    return {row[0] for row in _rows(folder / "queue.db", question)}


def misplaced(events: list[Kept]) -> Iterator[str]:
    """Accepted events that are in no place, or in two."""
    for event in events:
        places = [event.inbox, event.open > 0, not event.inbox and not event.open and event.settled > 0]
        if event.verdict == "accepted" and sum(places) != 1:
            yield f"{event.id} is in {sum(places)} places"
        if event.verdict != "accepted" and (event.inbox or event.open or event.settled):
            yield f"{event.id} is {event.verdict}, and waits or ran"

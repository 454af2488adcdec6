"""Where events are: read from the files themselves, as they stand between two steps."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

FILES = {"proxy": "queue.db", "one": "events.db", "two": "events.db"}  # by node: where its events are


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in an agent's file."""

    id: str
    body: bytes | None  # its number
    way: str  # direct | proxy
    verdict: str
    original: str | None  # id of the event that it repeats
    inbox: bool
    pending: int  # deliveries; also those that are given up
    held: int
    settled: int


@dataclass(slots=True)
class Places:
    """All the places of the world, in one moment."""

    queued: frozenset[str] = frozenset()  # ids that wait at the proxy
    docked: dict[str, frozenset[str]] = field(default_factory=dict)  # by agent: stored, and not yet confirmed
    kept: dict[str, list[Kept]] = field(default_factory=dict)  # by agent

    def look(self, node: str, db: sqlite3.Connection) -> None:
        """See anew what a node's file holds."""
        if node == "proxy":
            self.queued = frozenset(row[0] for row in db.execute(QUEUED))
        else:
            self.docked[node] = frozenset(row[0] for row in db.execute(DOCKED))
            self.kept[node] = [Kept(*row) for row in db.execute(EVENTS)]

    def read(self, node: str, folder: Path) -> None:
        """As `look`, from the file in a node's folder."""
        with closing(sqlite3.connect(folder / FILES[node])) as db:
            self.look(node, db)

    def ids(self) -> set[str]:
        """Every event that is anywhere."""
        kept = {event.id for events in self.kept.values() for event in events}
        return kept.union(self.queued, *self.docked.values())

    def waiting(self) -> int:
        """Events on their way, which is not those that are held."""
        here = sum(event.inbox or event.pending > 0 for events in self.kept.values() for event in events)
        return here + len(self.queued) + sum(len(ids) for ids in self.docked.values())


QUEUED = "SELECT m.id FROM messages m JOIN lanes l USING (organisation) WHERE m.seq > l.acknowledged"
DOCKED = "SELECT id FROM docked"
EVENTS = """
SELECT e.id, b.data, e.arrived_by, e.verdict, o.id, i.seq IS NOT NULL,
    coalesce(sum(d.state IN ('pending', 'given_up')), 0),
    coalesce(sum(d.state = 'held'), 0),
    coalesce(sum(d.state NOT IN ('pending', 'given_up', 'held')), 0)
FROM events e LEFT JOIN inbox i ON i.seq = e.seq LEFT JOIN bodies b ON b.place = e.seq << 16
    LEFT JOIN events o ON o.seq = e.duplicate_of LEFT JOIN deliveries d ON d.event_seq = e.seq
GROUP BY e.seq
"""

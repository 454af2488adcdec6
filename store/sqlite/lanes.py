"""One organisation's row in the queue: its numbers, what waits, and who holds its lease."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from store.queue import LEAP
from store.sqlite.bulk import Bulk
from touchpoints.moment import HOUR, Micros


@dataclass(slots=True)
class Lane:
    """A lane as it stands in a transaction; see the table."""

    organisation: int
    next_seq: int
    acknowledged: int
    acknowledged_at: Micros
    events: int
    bytes: int
    agent: str
    epoch: int
    incarnation: str
    gap_first: int = 0
    gap_last: int = 0

    def row(self) -> tuple[int | str, ...]:
        """In the order of the table's columns."""
        return (
            self.organisation,
            self.next_seq,
            self.acknowledged,
            self.acknowledged_at,
            self.events,
            self.bytes,
            self.agent,
            self.epoch,
            self.incarnation,
            self.gap_first,
            self.gap_last,
        )


COLUMNS = "organisation, next_seq, acknowledged, acknowledged_at, events, bytes, agent, epoch, incarnation, gap_first, gap_last"
SELECT_LANES = Bulk("SELECT l.* FROM (VALUES {rows}) CROSS JOIN lanes l ON l.organisation = column1", 1)
SELECT_LANE = f"SELECT {COLUMNS} FROM lanes WHERE organisation = ?"  # noqa: S608 - joins constants; values are bound
SELECT_BEGINNING = "SELECT restores, incarnation FROM beginnings ORDER BY restores DESC LIMIT 1"


def read_lanes(db: sqlite3.Connection, organisations: Iterable[int]) -> dict[int, Lane]:
    """The lanes of organisations; one that has none yet gets the beginning of one, which is not written."""
    wanted = set(organisations)
    lanes = {row[0]: Lane(*row) for row in SELECT_LANES.read(db, [(organisation,) for organisation in wanted])}
    if missing := wanted - lanes.keys():
        lanes |= {organisation: new_lane(db, organisation) for organisation in missing}
    return lanes


def new_lane(db: sqlite3.Connection, organisation: int) -> Lane:
    """The beginning of a lane, beyond every number a lost one may have given."""
    restores, incarnation = db.execute(SELECT_BEGINNING).fetchone()
    passed = restores * LEAP
    return Lane(organisation, passed + 1, 0, 0, 0, 0, "", passed, incarnation)


def read_lane(db: sqlite3.Connection, organisation: int) -> Lane:
    """As `read_lanes`, of one."""
    row = db.execute(SELECT_LANE, (organisation,)).fetchone()
    return Lane(*row) if row else new_lane(db, organisation)


UPSERT_LANES = Bulk(
    f"""
INSERT INTO lanes ({COLUMNS}) VALUES {{rows}}
ON CONFLICT (organisation) DO UPDATE SET next_seq = excluded.next_seq, acknowledged = excluded.acknowledged,
    acknowledged_at = excluded.acknowledged_at, events = excluded.events, bytes = excluded.bytes, agent = excluded.agent,
    epoch = excluded.epoch, incarnation = excluded.incarnation, gap_first = excluded.gap_first, gap_last = excluded.gap_last
""",  # noqa: S608 - joins constants; values are bound
    11,
)


def write_lanes(db: sqlite3.Connection, lanes: Iterable[Lane]) -> None:
    """Keep lanes that were read in the same transaction."""
    UPSERT_LANES.change(db, [lane.row() for lane in lanes])


SELECT_LAST_EPOCH = "SELECT position, known FROM epochs WHERE organisation = ? AND epoch <= ? ORDER BY epoch DESC LIMIT 1"
INSERT_EPOCH = "INSERT INTO epochs (organisation, epoch, agent, position, known) VALUES (?, ?, ?, ?, 1)"


def end_lease(db: sqlite3.Connection, lane: Lane) -> None:
    """Nobody holds the lease from now on, and where it left the acknowledged position is kept. The caller writes the lane."""
    if lane.agent:
        if final_position(db, lane.organisation, lane.epoch) != lane.acknowledged:
            db.execute(INSERT_EPOCH, (lane.organisation, lane.epoch, lane.agent, lane.acknowledged))
        lane.agent = ""


def final_position(db: sqlite3.Connection, organisation: int, epoch: int) -> int | None:
    """Where an ended epoch left the acknowledged position; None where a restore lost it."""
    position, known = db.execute(SELECT_LAST_EPOCH, (organisation, epoch)).fetchone() or (0, 1)
    return position if known else None


UPSERT_MARK = """
INSERT INTO marks (organisation, hour, position) VALUES (?, ?, ?)
ON CONFLICT (organisation, hour) DO UPDATE SET position = max(position, excluded.position)
"""


def move_position(db: sqlite3.Connection, lane: Lane, to: int, now: Micros) -> None:
    """Move the acknowledged position. The first move of an hour notes where the last one that moved left it."""
    if lane.acknowledged_at // HOUR != now // HOUR and lane.acknowledged:
        db.execute(UPSERT_MARK, (lane.organisation, lane.acknowledged_at // HOUR, lane.acknowledged))
    lane.acknowledged, lane.acknowledged_at = to, now

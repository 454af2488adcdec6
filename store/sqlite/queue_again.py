"""Queueing again: what was acknowledged and is still kept moves to the lane's end, under new numbers and the same ids."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from store.queue import LEAP, Unsettled
from store.sqlite.bulk import Row
from store.sqlite.lanes import Lane, end_lease, read_lane, write_lanes
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

SLICE = 500  # messages a transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers that one lease acknowledged: `after` < seq ≤ `to`."""

    agent: str
    after: int
    to: int


SELECT_ENDED = "SELECT agent, position FROM epochs WHERE organisation = ? ORDER BY epoch"


def ranges(db: sqlite3.Connection, lane: Lane) -> list[Range]:
    """Who acknowledged what, in order."""
    found: list[Range] = []
    after = 0
    for agent, position in (*db.execute(SELECT_ENDED, (lane.organisation,)), (lane.agent, lane.acknowledged)):
        if agent and position > after:
            found.append(Range(agent=agent, after=after, to=position))
        after = max(after, position)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What an agent told of its own work."""

    settled: int
    unsettled: int
    acknowledged: int  # the lane's position then, or less where it was not known


UPSERT_REPORT = """
INSERT INTO reports (organisation, agent, settled, unsettled, acknowledged)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (organisation, agent) DO UPDATE SET settled = excluded.settled, unsettled = excluded.unsettled,
    acknowledged = excluded.acknowledged
"""
SELECT_REPORTS = "SELECT agent, settled, unsettled, acknowledged FROM reports WHERE organisation = ?"


def write_reports(db: sqlite3.Connection, *, rows: list[tuple[int, str, int, int, int]]) -> None:
    """Keep (organisation, agent, settled, unsettled, position when it told)."""
    db.executemany(UPSERT_REPORT, rows)


def _reports(db: sqlite3.Connection, organisation: int) -> dict[str, Reported]:
    return {
        agent: Reported(settled=settled, unsettled=unsettled, acknowledged=acknowledged)
        for agent, settled, unsettled, acknowledged in db.execute(SELECT_REPORTS, (organisation,))
    }


COUNT_BETWEEN = "SELECT count(*), min(seq), max(seq) FROM messages WHERE organisation = ? AND seq > ? AND seq <= ?"


def select_unsettled(db: sqlite3.Connection, *, organisation: int) -> list[Unsettled]:
    """By agent: how many kept messages it acknowledged and did not settle, and the numbers between which they lie."""
    lane, reports = read_lane(db, organisation), _reports(db, organisation)
    kept: dict[str, list[Row]] = {}
    fresh: dict[str, int] = {}
    for one in ranges(db, lane):
        report = reports.get(one.agent)
        after = max(one.after, report.settled if report else 0)
        if after < one.to:
            row = db.execute(COUNT_BETWEEN, (organisation, after, one.to)).fetchone()
            if row[0]:
                kept.setdefault(one.agent, []).append(row)
            later = max(after, report.acknowledged) if report else after
            (count, _, _) = db.execute(COUNT_BETWEEN, (organisation, later, one.to)).fetchone()
            fresh[one.agent] = fresh.get(one.agent, 0) + count
    found = []
    for agent, rows in kept.items():
        count = sum(row[0] for row in rows)
        if report := reports.get(agent):  # it settles out of order, and told how many are left of those it had then
            count = min(count, report.unsettled + fresh[agent])
        if count:
            found.append(
                Unsettled(agent=agent, events=count, first=min(row[1] for row in rows), last=max(row[2] for row in rows))
            )
    return found


def take_over(db: sqlite3.Connection, *, organisation: int, agent: str, expired: int, now: Micros) -> int:
    """Queue a slice of an agent's unsettled messages again; how many. Its lease ends, if it is the one of epoch `expired`.

    Raises ProblemError(agent_holds_lease) where it holds another.
    """
    lane = read_lane(db, organisation)
    if lane.agent == agent:
        if lane.epoch != expired:
            raise ProblemError(problem("agent_holds_lease"))
        end_lease(db, lane)
    report = _reports(db, organisation).get(agent)
    settled = report.settled if report else 0
    moved = 0
    for one in ranges(db, lane):
        if one.agent == agent and moved < SLICE:
            moved += move_again(db, lane, after=max(one.after, settled), to=one.to, limit=SLICE - moved, now=now)
    write_lanes(db, [lane])
    return moved


def seek(db: sqlite3.Connection, *, organisation: int, to: int, until: int, now: Micros) -> int:
    """Queue a slice of what was acknowledged after a position again; how many. What lies beyond `until` is left."""
    lane = read_lane(db, organisation)
    moved = move_again(db, lane, after=to, to=min(until, lane.acknowledged), limit=SLICE, now=now)
    write_lanes(db, [lane])
    return moved


SELECT_BETWEEN = "SELECT seq, bytes FROM messages WHERE organisation = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
UPDATE_SEQ = "UPDATE messages SET seq = ?, queued_at = ? WHERE organisation = ? AND seq = ?"


def move_again(db: sqlite3.Connection, lane: Lane, *, after: int, to: int, limit: int, now: Micros) -> int:
    """Give messages new numbers, in order, and count them as waiting; how many. The caller writes the lane."""
    rows = db.execute(SELECT_BETWEEN, (lane.organisation, after, to, limit)).fetchall()
    for seq, size in rows:
        db.execute(UPDATE_SEQ, (lane.next_seq, now, lane.organisation, seq))
        lane.next_seq += 1
        lane.events += 1
        lane.bytes += size
    return len(rows)


INSERT_FIRST = "INSERT INTO beginnings (restores, incarnation, at) SELECT 0, ?, ? WHERE NOT EXISTS (SELECT 1 FROM beginnings)"


def begin(db: sqlite3.Connection, *, incarnation: str, now: Micros) -> None:
    """Let a file that was just made have its first incarnation."""
    db.execute(INSERT_FIRST, (incarnation, now))


INSERT_LOST = "INSERT INTO epochs (organisation, epoch, agent, position, known) VALUES (?, ?, ?, ?, 0)"
INSERT_INCARNATION = "INSERT OR IGNORE INTO incarnations (organisation, incarnation, at, next_seq) VALUES (?, ?, ?, ?)"
UPDATE_WAITING = "UPDATE messages SET seq = seq + ? WHERE organisation = ? AND seq > ?"
FARTHEST = 2**40


def reincarnate(db: sqlite3.Connection, *, organisation: int, incarnation: str, beyond: int, now: Micros) -> None:
    """Let a restored lane go on beyond what the lost one gave out."""
    lane = read_lane(db, organisation)
    reused = 0 < beyond < lane.next_seq
    _restore(db, lane, incarnation, min(beyond + 1, lane.next_seq + FARTHEST), now)
    if reused:  # it has gone on since: what waits has numbers that the lost one gave to others
        lane.gap_first, lane.gap_last = min(lane.acknowledged + 1, beyond), beyond
        moved = lane.next_seq - 1 - lane.acknowledged
        db.execute(UPDATE_WAITING, (moved, organisation, lane.acknowledged))
        lane.next_seq += moved
    write_lanes(db, [lane])


def _restore(db: sqlite3.Connection, lane: Lane, incarnation: str, next_seq: int, now: Micros) -> None:
    # How the lease on the disk went on after the backup, and what came after it, nobody knows.
    lost = lane.epoch if lane.agent else lane.epoch + 1
    db.execute(INSERT_LOST, (lane.organisation, lost, lane.agent, lane.acknowledged))
    db.execute(INSERT_INCARNATION, (lane.organisation, lane.incarnation, now, lane.next_seq))
    first = lane.next_seq
    lane.next_seq = max(first, next_seq)
    lane.gap_first, lane.gap_last = (first, lane.next_seq - 1) if lane.next_seq > first else (0, 0)
    lane.agent, lane.epoch, lane.incarnation = "", lane.epoch + LEAP, incarnation


SELECT_ORGANISATIONS = "SELECT organisation FROM lanes"
INSERT_BEGINNING = "INSERT INTO beginnings (restores, incarnation, at) SELECT max(restores) + 1, ?, ? FROM beginnings"


def reincarnate_all(db: sqlite3.Connection, *, new_incarnation: Callable[[], str], now: Micros) -> None:
    """Let every lane of a restored file go on a leap farther, also those made later: lost ones may have been there before."""
    for (organisation,) in db.execute(SELECT_ORGANISATIONS).fetchall():
        lane = read_lane(db, organisation)
        _restore(db, lane, new_incarnation(), lane.next_seq + LEAP, now)
        write_lanes(db, [lane])
    db.execute(INSERT_BEGINNING, (new_incarnation(), now))

"""Leases: who may pull an organisation's events. Holder and epoch stand on the disk, how long they last in memory."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from store.queue import LEASE, Lease
from store.sqlite.connections import Readers
from store.sqlite.lanes import COLUMNS, Lane, end_lease, final_position, move_position, new_lane, read_lane, write_lanes
from store.sqlite.queue_pull import OLDEST
from store.sqlite.writer import Writer
from touchpoints.moment import SECOND, Micros
from touchpoints.pull.message import Acknowledged, Backlog


@dataclass(slots=True)
class Held:
    """A lease in memory, and its lane when it was last looked at."""

    lane: Lane
    oldest: Micros  # when the oldest that waits in it was received
    until: Micros

    @property
    def key(self) -> tuple[str, int, str]:
        """What it is known by on the disk."""
        return self.lane.agent, self.lane.epoch, self.lane.incarnation


class Leases:
    """The leases of a queue. The disk decides: what memory believes wrongly is mended at the next look."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers
        self._held: dict[int, Held] = {}
        self._fitting: set[tuple[int, str]] = set()  # organisation and agent

    def forget(self, organisation: int | None = None) -> None:
        """Know nothing any more, of one or of all: the holder on the disk has the whole span again."""
        if organisation is None:
            self._held.clear()
            self._fitting.clear()
        else:
            self._held.pop(organisation, None)

    async def lease(self, organisation: int, agent: str, *, epoch: int, now: Micros, renew: bool) -> Lease:
        """See Queue."""
        lane, oldest = await self._readers.run(partial(look, organisation=organisation))
        while True:
            held = self._known(lane, oldest, now)
            if (held.lane.agent, held.lane.epoch) == (agent, epoch):
                if renew or held.until <= now:  # one that ran out and that nobody took is its holder's again
                    held.until = now + LEASE
                return _lease(held, now)
            if held.lane.agent not in {"", agent} and held.until > now:
                return _lease(held, now)
            work = partial(grant, organisation=organisation, agent=agent, expected=held.key)
            granted, lane, oldest = await self._writer.run(work)
            if granted:
                held = self._held[organisation] = Held(lane, oldest, now + LEASE)
                return _lease(held, now)

    async def lease_of(self, organisation: int, *, now: Micros) -> Lease:
        """See Queue. One that ran out is nobody's, though its holder may still renew it."""
        held = self._held.get(organisation)
        if held is None:
            held = self._known(*await self._readers.run(partial(look, organisation=organisation)), now)
        held.until = min(held.until, now + LEASE)
        found = _lease(held, now)
        return found if held.until > now else replace(found, agent="")

    async def fits(self, organisation: int, agent: str, *, seen: int, seen_id: str) -> bool:
        """See Queue."""
        if (organisation, agent) not in self._fitting:
            if not await self._readers.run(partial(fits, organisation=organisation, seq=seen, event_id=seen_id)):
                return False
            self._fitting.add((organisation, agent))
        return True

    async def release(self, organisation: int, agent: str, *, epoch: int) -> None:
        """See Queue."""
        lane = await self._writer.run(partial(release, organisation=organisation, agent=agent, epoch=epoch))
        if (held := self._held.get(organisation)) and held.lane.epoch <= lane.epoch:
            held.lane = lane

    async def renewed(self, organisation: int, agent: str, acknowledged: Acknowledged, now: Micros) -> None:
        """The holder has shown that it lives; also where that is the first that is heard of it since the start."""
        held = self._held.get(organisation)
        if held is None:
            held = self._known(*await self._readers.run(partial(look, organisation=organisation)), now)
        if (held.lane.agent, held.lane.epoch) == (agent, acknowledged.epoch):
            held.until = now + LEASE
            held.lane.acknowledged = max(held.lane.acknowledged, acknowledged.position)

    def position(self, organisation: int) -> int:
        """The acknowledged position at the last look; 0: there was none yet."""
        held = self._held.get(organisation)
        return held.lane.acknowledged if held else 0

    async def expired(self, organisation: int, *, now: Micros) -> int:
        """The epoch of the lease that ran out and that nobody has taken since; 0: there is none."""
        held = self._known(*await self._readers.run(partial(look, organisation=organisation)), now)
        return held.lane.epoch if held.until <= now else 0

    def _known(self, lane: Lane, oldest: Micros, now: Micros) -> Held:
        """What memory knows of the lease on the disk; after a start nothing, so that its holder has the whole span again."""
        held = self._held.get(lane.organisation)
        if held is None:
            held = self._held[lane.organisation] = Held(lane, oldest, now + LEASE)
        elif held.lane.epoch <= lane.epoch:  # else it was read before the lease moved
            if held.key != (lane.agent, lane.epoch, lane.incarnation):
                held.until = now + LEASE
            held.lane, held.oldest = lane, oldest
        held.until = min(held.until, now + LEASE)  # a clock that was set back prolongs nothing
        return held


def _lease(held: Held, now: Micros) -> Lease:
    return Lease(
        incarnation=held.lane.incarnation,
        agent=held.lane.agent,
        epoch=held.lane.epoch,
        seconds=max(0, held.until - now) / SECOND,
        acknowledged=held.lane.acknowledged,
        next_seq=held.lane.next_seq,
        gap=(held.lane.gap_first, held.lane.gap_last) if held.lane.gap_last else None,
        backlog=Backlog(events=held.lane.events, bytes=held.lane.bytes, oldest=held.oldest),
    )


SELECT_LOOK = f"SELECT {COLUMNS}, coalesce({OLDEST}, 0) FROM lanes l WHERE organisation = ?"  # noqa: S608 - joins constants


def look(db: sqlite3.Connection, *, organisation: int) -> tuple[Lane, Micros]:
    """A lane, and when the oldest that waits in it was received; 0: nothing waits."""
    row = db.execute(SELECT_LOOK, (organisation,)).fetchone()
    return (Lane(*row[:-1]), row[-1]) if row else (new_lane(db, organisation), 0)


def grant(
    db: sqlite3.Connection, *, organisation: int, agent: str, expected: tuple[str, int, str]
) -> tuple[bool, Lane, Micros]:
    """Give the lease to an agent under a new epoch, unless another than the expected one has it by now; also see `look`."""
    lane, oldest = look(db, organisation=organisation)
    granted = (lane.agent, lane.epoch, lane.incarnation) == expected
    if granted:
        end_lease(db, lane)
        lane.agent, lane.epoch = agent, lane.epoch + 1
        write_lanes(db, [lane])
    return granted, lane, oldest


def release(db: sqlite3.Connection, *, organisation: int, agent: str, epoch: int) -> Lane:
    """Let an agent's lease end."""
    lane = read_lane(db, organisation)
    if (lane.agent, lane.epoch) == (agent, epoch):
        end_lease(db, lane)
        write_lanes(db, [lane])
    return lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An acknowledgement that is asked for."""

    organisation: int
    agent: str
    incarnation: str
    epoch: int
    to: int
    event_id: str  # of `to`; empty: not told
    now: Micros


SELECT_ID = "SELECT id FROM messages WHERE organisation = ? AND seq = ?"


def fits(db: sqlite3.Connection, *, organisation: int, seq: int, event_id: str) -> bool:
    """Whether a number is not another event's here. One that is gone, or was queued again, tells nothing."""
    row = db.execute(SELECT_ID, (organisation, seq)).fetchone() if event_id else None
    return row is None or row[0] == event_id


SELECT_ENDED_AT = "SELECT next_seq FROM incarnations WHERE organisation = ? AND incarnation = ?"


def acknowledge(db: sqlite3.Connection, asked: Sequence[Asked]) -> list[Acknowledged]:
    """Move positions, in order; what each came to."""
    return [_acknowledge_one(db, one) for one in asked]


def _acknowledge_one(db: sqlite3.Connection, asked: Asked) -> Acknowledged:
    lane = read_lane(db, asked.organisation)
    present = lane.incarnation
    fit = fits(db, organisation=asked.organisation, seq=asked.to, event_id=asked.event_id)
    if fit and asked.epoch > 0 and (lane.agent, lane.epoch, present) == (asked.agent, asked.epoch, asked.incarnation):
        _move(db, lane, min(asked.to, lane.next_seq - 1), asked.now)
        return Acknowledged(accepted=True, incarnation=present, epoch=asked.epoch, position=lane.acknowledged)
    position = _lost_at(db, lane, asked) if fit else None
    return Acknowledged(
        accepted=False, incarnation=present, epoch=asked.epoch, position=position or 0, known=position is not None
    )


def _lost_at(db: sqlite3.Connection, lane: Lane, asked: Asked) -> int | None:
    """Where the epoch that is asked for left the position; None where nothing is known of it."""
    next_seq = lane.next_seq
    if asked.incarnation != lane.incarnation:
        (next_seq,) = db.execute(SELECT_ENDED_AT, (asked.organisation, asked.incarnation)).fetchone() or (0,)
    if asked.to >= next_seq or asked.epoch > lane.epoch:  # given by what a restore lost
        return None
    if asked.epoch == lane.epoch and lane.agent:  # the present lease, and not this agent's
        return lane.acknowledged
    return final_position(db, asked.organisation, asked.epoch)


SELECT_BETWEEN = "SELECT count(*), coalesce(sum(bytes), 0) FROM messages WHERE organisation = ? AND seq > ? AND seq <= ?"


def _move(db: sqlite3.Connection, lane: Lane, to: int, now: Micros) -> None:
    if to <= lane.acknowledged:
        return
    events, size = db.execute(SELECT_BETWEEN, (lane.organisation, lane.acknowledged, to)).fetchone()
    lane.events -= events
    lane.bytes -= size
    move_position(db, lane, to, now)
    write_lanes(db, [lane])

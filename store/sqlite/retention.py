"""Retention in SQLite: what may go goes in short slices. What is unsettled is never touched."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from store.settings import RetentionSettings
from store.sqlite import pruning
from store.sqlite.connections import Readers
from store.sqlite.database import MIB, pragma_number
from store.sqlite.writer import Writer
from touchpoints.moment import DAY, Micros

SLICE = 500  # events a transaction
CLAIM_DAYS = 14
SAMPLE = 200  # refused events kept of a touchpoint in direct mode, where the sender already has its 401


@dataclass(slots=True, kw_only=True)
class Pruned:
    """What a prune removed."""

    bodies: int = 0
    events: int = 0  # rows of the log
    refused: int = 0
    claims: int = 0
    file_bytes: int = 0  # the file's size afterwards
    exhausted: bool = False  # `size` asks for more room than that: all that is left is unsettled


class Retention:
    """Prunes one events file; at most one prune runs at a time."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def prune(self, policy: RetentionSettings, *, now: Micros, by_age: bool = True, beside: int = 0) -> Pruned:
        """Remove what the policy no longer keeps, then give the space back to the disk. Raises StoreUnavailable.

        - Bodies `bodies_days` after their event was settled; the log's rows after `log_days`.
        - Refused events after `refused_days` or beyond `refused_size` a touchpoint, newest kept; of direct ones a sample.
        - Near `size`, the oldest settled bodies and then the oldest settled rows, until a tenth is free again.
        - Without `by_age` only the last: for when the clock cannot be believed.
        - `beside`: bytes that count as stored besides those in the file: its log.
        """
        pruned = Pruned()
        if by_age:
            await self._by_age(policy, now, pruned)
        if policy.size:
            roomy = max(policy.size // 2, policy.size - policy.size // 10 - beside)
            bodies, _ = await self._bodies(now, until=roomy)
            events, reached = await self._events(now, until=roomy)
            pruned.bodies, pruned.events, pruned.exhausted = pruned.bodies + bodies, pruned.events + events, not reached
        pruned.file_bytes = await give_back(self._writer, self._readers)
        return pruned

    async def _by_age(self, policy: RetentionSettings, now: Micros, pruned: Pruned) -> None:
        log_cutoff = now - policy.log_days * DAY
        pruned.bodies, _ = await self._bodies(max(now - policy.bodies_days * DAY, log_cutoff))
        await self._refused(policy, max(now - policy.refused_days * DAY, log_cutoff), pruned)
        pruned.events, _ = await self._events(log_cutoff)
        pruned.claims += await self._writer.repeat(partial(pruning.delete_claims, before=now - CLAIM_DAYS * DAY, limit=SLICE))
        await self._writer.run(partial(pruning.delete_refusals, before_day=log_cutoff // DAY))

    async def _bodies(self, cutoff: Micros, *, until: int | None = None) -> tuple[int, bool]:
        """Prune bodies of events settled before `cutoff`; how many, and whether the file uses no more than `until` bytes."""
        return await self._aged(pruning.prune_bodies, cutoff, kept=True, until=until)

    async def _events(self, cutoff: Micros, *, until: int | None = None) -> tuple[int, bool]:
        """Delete the log's rows of events that have no body any more, as `_bodies` does bodies."""
        return await self._aged(pruning.delete_events, cutoff, kept=False, until=until)

    async def _aged(self, prune: Callable[..., int], cutoff: Micros, *, kept: bool, until: int | None) -> tuple[int, bool]:
        total, after = 0, (-1, -1)
        while until is None or await self._used() > until:
            aged = await self._readers.run(partial(pruning.select_aged, kept=kept, before=cutoff, after=after, limit=SLICE))
            if not aged:
                return total, False
            after = aged[-1][:2]
            if seqs := [seq for _, seq, settled in aged if settled]:
                total += await self._writer.run(partial(prune, seqs=seqs, cutoff=cutoff))
        return total, True

    async def _refused(self, policy: RetentionSettings, cutoff: Micros, pruned: Pruned) -> None:
        for touchpoint in await self._readers.run(pruning.select_refused_touchpoints):
            direct, size, before = 0, 0, 2**62
            while rows := await self._readers.run(
                partial(pruning.select_refused, touchpoint=touchpoint, before=before, limit=SLICE)
            ):
                before = rows[-1].seq
                bodies, whole = [], []
                for row in rows:
                    direct += row.direct
                    size += row.body_bytes
                    if row.direct and direct > SAMPLE:
                        whole.append(row.seq)
                    elif row.received_at < cutoff or size > policy.refused_size:
                        bodies.append(row.seq)
                pruned.refused += await self._prune_refused(bodies, whole)

    async def _prune_refused(self, bodies: Sequence[int], whole: Sequence[int]) -> int:
        if not bodies and not whole:
            return 0
        return await self._writer.run(partial(pruning.prune_refused, bodies=bodies, whole=whole))

    async def _used(self) -> int:
        return await self._readers.run(used_bytes)


async def give_back(writer: Writer, readers: Readers) -> int:
    """Give free pages back to the disk, some at a time; the file's size afterwards. Raises StoreUnavailable."""
    if await readers.run(free_bytes) > MIB:
        while await writer.outside(vacuum_some):
            pass
        await writer.outside(checkpoint)
    return await readers.run(file_bytes)


def used_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    return file_bytes(db) - free_bytes(db)


def free_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold nothing."""
    return pragma_number(db, "freelist_count") * pragma_number(db, "page_size")


def file_bytes(db: sqlite3.Connection) -> int:
    """The file's size, its log not counted."""
    return pragma_number(db, "page_count") * pragma_number(db, "page_size")


def vacuum_some(db: sqlite3.Connection) -> bool:
    """Move up to 512 pages from the file's end into free ones; whether there is more to do."""
    before = pragma_number(db, "freelist_count")
    db.execute("PRAGMA incremental_vacuum(512)").fetchall()
    return 0 < pragma_number(db, "freelist_count") < before


def checkpoint(db: sqlite3.Connection) -> None:
    """Write the log into the file and cut it, waiting only shortly for readers: the next time does as well."""
    db.execute("PRAGMA busy_timeout = 200")
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.execute("PRAGMA busy_timeout = 10000")

"""The proxy's queue in SQLite."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial

from store.inbox import StoreUnavailable
from store.queue import Lease, Parcel, Pulled, Quota, QuotaReached, Unsettled
from store.sqlite import queue_again, queue_epochs, queue_retention
from store.sqlite.connections import Readers
from store.sqlite.database import MIB
from store.sqlite.lanes import read_lane
from store.sqlite.queue_lease import Asked, Leases, acknowledge
from store.sqlite.queue_pull import select_backlog, select_backlogs, select_kept, select_waiting
from store.sqlite.queue_put import insert_key, insert_parcels
from store.sqlite.retention import give_back
from store.sqlite.sequence import Sequence as Numbers
from store.sqlite.writer import Writer
from touchpoints.moment import HOUR, SECOND, Micros
from touchpoints.pull.message import Acknowledged, Backlog

REPORTS_EVERY: Micros = 5 * SECOND


class SqliteQueue:
    """See store.queue.Queue. While `unavailable` holds a code, every put raises StoreUnavailable with it."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers) -> None:
        self.unavailable = ""
        self._writer = writer
        self._readers = readers
        self._insert = partial(insert_parcels, numbers=numbers)
        self._leases = Leases(writer, readers)
        self._reports: dict[tuple[int, str], tuple[int, int, int]] = {}
        self._reported_at: Micros = 0

    async def put(self, parcel: Parcel, quota: Quota) -> None:
        """See Queue."""
        if self.unavailable:
            raise StoreUnavailable(self.unavailable)
        if not await self._writer.submit(self._insert, (parcel, quota), len(parcel.data) + 1024):
            raise QuotaReached

    async def put_key(self, organisation: int, key_id: str, wrapped: bytes, *, now: Micros) -> None:
        """See Queue."""
        await self._writer.run(partial(insert_key, organisation=organisation, key_id=key_id, wrapped=wrapped, now=now))

    async def lease(self, organisation: int, agent: str, *, epoch: int, now: Micros, renew: bool = True) -> Lease:
        """See Queue."""
        return await self._leases.lease(organisation, agent, epoch=epoch, now=now, renew=renew)

    async def lease_of(self, organisation: int, *, now: Micros) -> Lease:
        """See Queue. Its positions are those of the last look."""
        return await self._leases.lease_of(organisation, now=now)

    async def release(self, organisation: int, agent: str, *, epoch: int) -> None:
        """See Queue."""
        await self._leases.release(organisation, agent, epoch=epoch)

    async def pull(self, organisation: int, *, after: int, limit: int, max_bytes: int) -> Pulled:
        """See Queue."""
        work = partial(select_waiting, organisation=organisation, after=after, limit=limit, max_bytes=max_bytes)
        return await self._readers.run(work)

    async def fits(self, organisation: int, agent: str, *, seen: int, seen_id: str) -> bool:
        """See Queue."""
        return await self._leases.fits(organisation, agent, seen=seen, seen_id=seen_id)

    async def acknowledge(
        self,
        organisation: int,
        agent: str,
        *,
        incarnation: str,
        epoch: int,
        to: int,
        event_id: str = "",
        now: Micros,
        steady: Micros,
    ) -> Acknowledged:
        """See Queue."""
        asked = Asked(
            organisation=organisation,
            agent=agent,
            incarnation=incarnation,
            epoch=epoch,
            to=to,
            event_id=event_id,
            now=now,
        )
        found = await self._writer.submit(acknowledge, asked)
        if found.accepted:
            await self._leases.renewed(organisation, agent, found, steady)
        return found

    async def settled(self, organisation: int, agent: str, *, settled: int, unsettled: int, now: Micros) -> None:
        """See Queue. Written every few seconds, with what others told."""
        self._reports[organisation, agent] = (settled, unsettled, self._leases.position(organisation))
        if not 0 <= now - self._reported_at < REPORTS_EVERY:
            await self.flush()
            self._reported_at = now

    async def flush(self) -> None:
        """Write what agents told. Raises StoreUnavailable."""
        reports, self._reports = self._reports, {}
        if reports:
            rows = [(*key, *told) for key, told in reports.items()]
            try:
                await self._writer.run(partial(queue_again.write_reports, rows=rows))
            except StoreUnavailable:
                self._reports = reports | self._reports
                raise

    async def unsettled(self, organisation: int) -> Sequence[Unsettled]:
        """See Queue."""
        await self.flush()
        return await self._readers.run(partial(queue_again.select_unsettled, organisation=organisation))

    async def take_over(self, organisation: int, agent: str, *, now: Micros, steady: Micros) -> int:
        """See Queue."""
        await self.flush()
        expired = await self._leases.expired(organisation, now=steady)
        work = partial(queue_again.take_over, organisation=organisation, agent=agent, expired=expired, now=now)
        return await self._writer.repeat(work)

    async def seek(self, organisation: int, *, to: int, now: Micros) -> int:
        """See Queue."""
        lane = await self._writer.run(partial(read_lane, organisation=organisation))
        work = partial(queue_again.seek, organisation=organisation, to=to, until=lane.acknowledged, now=now)
        return await self._writer.repeat(work)

    async def backlog(self, organisation: int) -> Backlog:
        """See Queue."""
        return await self._readers.run(partial(select_backlog, organisation=organisation))

    async def backlogs(self) -> Mapping[int, Backlog]:
        """See Queue."""
        return await self._readers.run(select_backlogs)

    async def reincarnate(self, organisation: int, incarnation: str, *, beyond: int, now: Micros) -> None:
        """See Queue."""
        work = partial(queue_again.reincarnate, organisation=organisation, incarnation=incarnation, beyond=beyond, now=now)
        await self._writer.run(work)
        self._leases.forget(organisation)

    async def reincarnate_all(self, new_incarnation: Callable[[], str], *, now: Micros) -> None:
        """See Queue. `new_incarnation` is called in the writer's thread."""
        await self._writer.run(partial(queue_again.reincarnate_all, new_incarnation=new_incarnation, now=now))
        self._leases.forget()

    async def expire(self, *, before: Micros, acknowledged_before: Micros, limit: int) -> Mapping[int, int]:
        """See Queue."""
        cutoffs = queue_retention.Cutoffs(before=before, acknowledged_before=acknowledged_before)
        late: dict[int, int] = {}
        after = -(2**62)
        while after:
            due, after = await self._readers.run(partial(queue_retention.select_due, after=after, cutoffs=cutoffs))
            for organisation in due:
                work = partial(queue_retention.delete_due, organisation=organisation, cutoffs=cutoffs, limit=limit)
                while (gone := await self._writer.run(work)) != (0, 0):
                    late[organisation] = late.get(organisation, 0) + gone[1]
                await self._writer.repeat(partial(queue_epochs.delete_needless, organisation=organisation, limit=limit))
        oldest = min(before, acknowledged_before) - HOUR
        await self._writer.repeat(partial(queue_retention.delete_keys, before=oldest, limit=limit))
        await self._writer.run(partial(queue_retention.end_gaps, before=before))
        await give_back(self._writer, self._readers)
        return {organisation: count for organisation, count in late.items() if count}

    async def export(self, organisation: int) -> AsyncIterator[Pulled]:
        """See Queue."""
        after, more = 0, True
        while more:
            work = partial(select_kept, organisation=organisation, after=after, limit=256, max_bytes=4 * MIB)
            found = await self._readers.run(work)
            if found.messages:
                after = found.messages[-1].seq
                yield found
            more = found.more

    async def erase(self, organisation: int) -> None:
        """See Queue."""
        self._reports = {key: told for key, told in self._reports.items() if key[0] != organisation}
        await self._writer.repeat(partial(queue_retention.delete_some, organisation=organisation, limit=queue_again.SLICE))
        await self._writer.run(partial(queue_retention.delete_rest, organisation=organisation))
        self._leases.forget(organisation)
        await give_back(self._writer, self._readers)

    def forget(self) -> None:
        """Know nothing from memory any more: another file stands there, or none."""
        self._leases.forget()
        self._reports.clear()

"""`python -m tests.bench.store [seconds] [stored]`: how fast the store puts, plans, claims, settles and exports."""

import asyncio
import hashlib
import sys
import tempfile
import time
from pathlib import Path

from store.log import Filter
from store.outbox import Plan
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, delivered, delivery, event
from touchpoints.event import Arrival

TASKS = 64
BODY = b'{"order_number": 1042, "filler": "' + b"x" * 2012 + b'"}'
HEADERS = tuple((f"x-header-{n}".encode(), b"a value of an ordinary length") for n in range(10))


async def put_for(file: EventsFile, seconds: float, first: int) -> int:
    """Put events by 64 tasks at once; how many."""
    numbers = iter(range(first, first + 10**9))
    end = time.perf_counter() + seconds
    digest = hashlib.sha256(BODY).digest()

    async def sender() -> int:
        count = 0
        while time.perf_counter() < end:
            number = next(numbers)
            made = event(number, BODY, headers=HEADERS, dedup_key=f"key-{hash(number * 7919)}", body_hash=digest)
            await file.inbox.put(Arrival(event=made, body=BODY))
            count += 1
        return count

    return sum(await asyncio.gather(*[sender() for _ in range(TASKS)]))


async def plan_all(file: EventsFile) -> int:
    """Plan what waits, in batches of 256, one delivery and one dedup key each."""
    count = 0
    while waiting := await file.inbox.take(limit=256):
        plans = [
            Plan(seq=one.seq, deliveries=(delivery(one.event),), dedup_key=one.event.dedup_key, dedup_since=NOW)
            for one in waiting
        ]
        await file.outbox.plan(plans)
        count += len(plans)
    return count


async def deliver_all(file: EventsFile) -> int:
    """Claim and settle what is due, in batches of 64."""
    count = 0
    while jobs := await file.outbox.claim(1, now=2**62, limit=64, max_bytes=2**40):
        await file.outbox.settle([delivered(job.seq) for job in jobs])
        count += len(jobs)
    return count


async def export_all(file: EventsFile) -> int:
    """Read every row of the export."""
    count, cursor = 0, (0, 0, 0)
    while rows := await file.log.rows(Filter(), limit=5000, after=cursor):
        count, cursor = count + len(rows), rows[-1].cursor
    return count


async def main(seconds: float, rounds: int) -> None:
    """Measure every hop, `rounds` times into the same file."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        file = await EventsFile.open(Path(folder) / "events.db", AiosqliteDatabase.open, now=NOW)
        stored = 0
        for _ in range(rounds):
            print(f"with {stored} events stored:")
            for name, work in (
                ("put", put_for(file, seconds, stored)),
                ("plan", plan_all(file)),
                ("claim and settle", deliver_all(file)),
                ("export", export_all(file)),
            ):
                begin = time.perf_counter()
                count = await work
                print(f"  {name:17} {count / (time.perf_counter() - begin):10,.0f} a second ({count})")
                stored += count if name == "put" else 0
        await file.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 1))

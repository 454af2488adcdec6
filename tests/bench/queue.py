"""The hosted proxy's queue by itself: sealed puts beside the inbox's, and a backlog pulled, among 2,000 organisations."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

from store.queue import Parcel, Quota
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from store.sqlite.queue_file import QueueFile
from tests.bench.children import BenchError, scratch
from tests.bench.figures import Report, middle, ratios
from tests.bench.store import BODY, HEADERS
from tests.store.make import NOW, event
from touchpoints.event import Arrival

TASKS = 64
ORGANISATIONS = 2000
BUSY = 1000
SEALED = bytes(2300)
DIGEST = hashlib.sha256(SEALED).digest()
ROOMY = Quota(events=10**9, bytes=10**12)
BATCH = 256


def queue(*, short: bool) -> Report:
    """Rounds of puts into queue and inbox in turns, then one organisation's backlog pulled and acknowledged."""
    with scratch() as folder:
        return asyncio.run(_measure(folder, rounds=2 if short else 5, seconds=1 if short else 3, backlog=100_000))


async def _measure(folder: Path, *, rounds: int, seconds: float, backlog: int) -> Report:
    numbers = count(1)
    file = await QueueFile.open(folder / "queue.db", AiosqliteDatabase.open, now=NOW, new_id=lambda: "bench")
    events = await EventsFile.open(folder / "events.db", AiosqliteDatabase.open, now=NOW)
    try:
        await asyncio.gather(*[file.queue.put_key(n, "key", bytes(80), now=NOW) for n in range(1, ORGANISATIONS + 1)])
        await asyncio.gather(*[_put(file, next(numbers), n) for n in range(1, ORGANISATIONS + 1)])
        hashed = hashlib.sha256(BODY).digest()

        async def one() -> None:
            await _put(file, next(numbers), BUSY)

        async def many() -> None:
            number = next(numbers)
            await _put(file, number, number * 7919 % ORGANISATIONS + 1)

        async def inbox() -> None:
            made = event(next(numbers), BODY, headers=HEADERS, body_hash=hashed)
            await events.inbox.put(Arrival(event=made, body=BODY))

        found: dict[str, list[float]] = {"one": [], "many": [], "inbox": []}
        for _ in range(rounds):
            for name, work in (("one", one), ("many", many), ("inbox", inbox)):
                found[name].append(await _rate(work, seconds))
        drained = await _drain(file, await _fill(file, numbers, backlog))
    finally:
        await events.close()
        await file.close()
    report = Report()
    report.add("queue: puts of one organisation among 2,000", middle(found["one"]))
    report.add("queue: puts of 2,000 organisations", middle(found["many"]))
    report.add("inbox: puts", middle(found["inbox"]))
    report.add("queue / inbox", ratios(found["one"], found["inbox"]), "x", target=0.9)
    report.add("2,000 organisations / inbox", ratios(found["many"], found["inbox"]), "x")
    report.add(f"a backlog of {backlog:,} pulled and acknowledged", drained, target=10_000)
    return report


async def _put(file: QueueFile, number: int, organisation: int) -> None:
    parcel = Parcel(
        organisation=organisation,
        endpoint=1,
        id=f"{number:026d}",
        received_at=NOW + number,
        key_id="key",
        digest=DIGEST,
        data=SEALED,
    )
    await file.queue.put(parcel, ROOMY)


async def _rate(work: Callable[[], Awaitable[None]], seconds: float) -> float:
    begin = time.perf_counter()

    async def sender() -> int:
        done = 0
        while time.perf_counter() < begin + seconds:
            await work()
            done += 1
        return done

    return sum(await asyncio.gather(*[sender() for _ in range(TASKS)])) / (time.perf_counter() - begin)


async def _fill(file: QueueFile, numbers: "count[int]", backlog: int) -> int:
    waiting = (await file.queue.backlog(BUSY)).events
    while waiting < backlog:
        some = min(512, backlog - waiting)
        await asyncio.gather(*[_put(file, next(numbers), BUSY) for _ in range(some)])
        waiting += some
    return waiting


async def _drain(file: QueueFile, waiting: int) -> float:
    """Events a second, each batch acknowledged on the disk before the next is pulled."""
    queue = file.queue
    lease = await queue.lease(BUSY, "agent", epoch=0, now=NOW)
    begin = time.perf_counter()
    done, after, more = 0, lease.acknowledged, True
    while more:
        pulled = await queue.pull(BUSY, after=after, limit=BATCH, max_bytes=8 * 1024 * 1024)
        if pulled.messages:
            after = pulled.messages[-1].seq
            await queue.acknowledge(
                BUSY, "agent", incarnation=lease.incarnation, epoch=lease.epoch, to=after, now=NOW, steady=NOW
            )
        done, more = done + len(pulled.messages), pulled.more
    spent = time.perf_counter() - begin
    if done != waiting:
        raise BenchError(f"{waiting} waited, and {done} were pulled")
    return done / spent

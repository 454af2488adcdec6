"""The inbox: an event is stored exactly, once, and survives whatever follows its acknowledgement."""

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.inbox import StoreUnavailable
from store.log import Filter
from store.outbox import Plan
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, delivery, event, failed, opened, query
from touchpoints.attempt import Blame, Failed
from touchpoints.event import ArrivedBy, Verdict
from touchpoints.moment import DAY

pytestmark = pytest.mark.anyio


async def test_an_event_comes_back_exactly(file: EventsFile) -> None:
    """Every field, header and byte is what was put."""
    body = bytes(range(256)) * 3
    put = arrival(
        1,
        body,
        event_type="orders/create",
        dedup_key="k",
        reference="1042",
        id_signed=False,
        test=True,
        hop=3,
        arrived_by=ArrivedBy.PROXY,
    )
    await file.inbox.put(put)
    (waiting,) = await file.inbox.take(limit=10)
    assert waiting.event == put.event
    assert await file.log.body(put.event.id) == body


@pytest.mark.parametrize("headers", [(), ((b"a", b""),), ((b"a", b"b"), (b"a", b"\xff\x00: "))])
async def test_headers_come_back_exactly(file: EventsFile, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """No header, an empty one, and one of odd bytes are kept as they are."""
    await file.inbox.put(arrival(1, headers=headers))
    (waiting,) = await file.inbox.take(limit=1)
    assert waiting.event.headers == headers


async def test_text_that_is_no_text_is_stored_as_its_escape(file: EventsFile) -> None:
    """Half a surrogate pair, NUL and typographic text in what was read out of a body keep no event out."""
    odd: dict[str, Any] = {"event_type": "a\x00b", "dedup_key": "\ud800", "reference": "„é“ \udfff"}
    await file.inbox.put(arrival(1, **odd))
    await file.outbox.plan([Plan(seq=1, deliveries=(delivery(event(1)),), dedup_key="\ud800")])
    wrong = failed(1)
    outcome = Failed(blame=Blame.EVENT, code="http_status", error="It said \ud800.")
    await file.outbox.settle([replace(wrong, attempt=replace(wrong.attempt, outcome=outcome))])
    (listed,) = await file.log.events(Filter(), limit=1)
    assert (listed.event.event_type, listed.event.dedup_key, listed.event.reference) == ("a\x00b", "\\ud800", "„é“ \\udfff")


async def test_a_header_with_a_line_break_fails_alone(file: EventsFile) -> None:
    """What would not come back exactly is not stored, and takes no other event with it."""
    bad = arrival(2, headers=((b"a", b"x\r\nb: y"),))
    results = await asyncio.gather(*map(file.inbox.put, [arrival(1), bad, arrival(3)]), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), StoreUnavailable, type(None)]
    assert [waiting.event.id for waiting in await file.inbox.take(limit=9)] == [arrival(1).event.id, arrival(3).event.id]


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024 + 7])
async def test_bodies_of_every_size_come_back(file: EventsFile, path: Path, size: int) -> None:
    """A body is stored in parts of at most 1 MiB and comes back whole."""
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    await file.inbox.put(arrival(1, body))
    await file.inbox.put(arrival(2, b"its neighbour"))
    assert await file.log.body(arrival(1).event.id) == body
    assert query(path, "SELECT max(length(data)) FROM bodies")[0][0] <= 1024 * 1024


async def test_a_put_is_idempotent_by_id(file: EventsFile) -> None:
    """A second put of an id changes nothing, also within one commit and among new ones."""
    first, other_body = arrival(1, b"first"), arrival(1, b"second")
    await asyncio.gather(*map(file.inbox.put, [first, other_body, arrival(2), first, arrival(3)]))
    await file.inbox.put(other_body)
    assert len(await file.inbox.take(limit=10)) == await file.inbox.waiting() == 3
    assert await file.log.body(first.event.id) == b"first"


async def test_take_pages_in_order_of_receipt(file: EventsFile) -> None:
    """Events come oldest first, after a number, and stay."""
    await asyncio.gather(*[file.inbox.put(arrival(number)) for number in range(10)])
    first = await file.inbox.take(limit=4)
    rest = await file.inbox.take(limit=100, after=first[-1].seq)
    assert [int(waiting.event.id) for waiting in (*first, *rest)] == list(range(10))
    assert await file.inbox.waiting() == 10


async def test_a_refused_event_is_kept_and_counted_and_never_waits(file: EventsFile) -> None:
    """A refused event is in the log alone; refusals without a sample are counted beside it."""
    await file.inbox.put(arrival(1, verdict=Verdict.REFUSED, reason="signature_wrong"))
    await file.inbox.count_refusals({(1, "signature_wrong"): 4, (2, "no_secret"): 1}, now=NOW + DAY)
    assert await file.inbox.waiting() == 0
    assert await file.log.refusals() == {(1, "signature_wrong"): 5, (2, "no_secret"): 1}
    assert await file.log.refusals(1, since=NOW + DAY) == {(1, "signature_wrong"): 4}
    assert (await file.log.backlog()).refused == 1
    assert await file.log.last_events() == {}


async def test_an_unavailable_inbox_takes_nothing(file: EventsFile) -> None:
    """While the process says why not (no free disk), a put is refused with that code."""
    file.inbox.unavailable = "disk_full"
    with pytest.raises(StoreUnavailable, match="disk_full"):
        await file.inbox.put(arrival(1))
    file.inbox.unavailable = ""
    await file.inbox.put(arrival(1))
    assert await file.inbox.waiting() == 1


async def test_a_sender_that_goes_away_cancels_nothing(file: EventsFile) -> None:
    """An event whose sender hung up is stored all the same."""
    task = asyncio.get_running_loop().create_task(file.inbox.put(arrival(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await file.inbox.put(arrival(2))
    assert await file.inbox.waiting() == 2


async def test_numbers_go_on_after_a_restart(path: Path) -> None:
    """A number is never given twice, also not when the newest row of its table is gone."""
    async with opened(path) as file:
        await file.inbox.put(arrival(1))
    async with opened(path) as file:
        await file.inbox.put(arrival(2))
        assert [waiting.seq for waiting in await file.inbox.take(limit=5)] == [1, 2]


PUTTING = """
import asyncio, sys
from pathlib import Path
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival

async def main():
    file = await EventsFile.open(Path(sys.argv[1]), AiosqliteDatabase.open, now=NOW)
    async def put(first):
        for number in range(first, 10**6, 8):
            await file.inbox.put(arrival(number, b"x" * 2000))
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
    await asyncio.gather(*[put(first) for first in range(8)])

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 400])
async def test_what_was_acknowledged_survives_a_kill(path: Path, lines: int) -> None:
    """A process killed while it writes has stored every event it acknowledged."""
    writing = subprocess.Popen(  # noqa: ASYNC220 - the test waits for nothing else meanwhile
        [sys.executable, "-c", PUTTING, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert writing.stdout is not None
    acknowledged = [next(writing.stdout) for _ in range(lines)]
    writing.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    acknowledged += writing.stdout.readlines()
    writing.wait()
    writing.stdout.close()
    async with opened(path, AiosqliteDatabase.open) as file:
        stored = {int(waiting.event.id) for waiting in await file.inbox.take(limit=10**6)}
        assert {int(line) for line in acknowledged if line.endswith("\n")} <= stored
        assert all([await file.log.body(f"{number:026d}") == b"x" * 2000 for number in list(stored)[-20:]])

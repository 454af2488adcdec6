"""What waits is given out of memory or out of the file, and nobody can tell which."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from store.inbox import StoreUnavailable
from store.outbox import Plan
from store.sqlite import inbox, recent
from store.sqlite.events_file import EventsFile
from tests.store.make import arrival, event, opened
from touchpoints.event import Verdict

pytestmark = pytest.mark.anyio


async def numbers(file: EventsFile) -> list[int]:
    """The numbers of what waits, as `take` tells and as the table holds."""
    taken = [waiting.seq for waiting in await file.inbox.take(limit=10_000)]
    stored = [w.seq for w in await file._readers.run(lambda db: inbox.select_waiting(db, 10_000, 0))]
    assert taken == stored
    return taken


async def test_what_is_put_and_planned_is_known_without_the_file(file: EventsFile) -> None:
    """Once the file was read, puts and plans keep what is known true."""
    assert await numbers(file) == []
    await asyncio.gather(*[file.inbox.put(arrival(number)) for number in (1, 2, 2, 3)])
    await file.inbox.put(arrival(9, verdict=Verdict.REFUSED, reason="signature_wrong"))
    waiting = file._recent.take(10, 0)
    assert waiting is not None
    assert [one.event for one in waiting] == [event(1), event(2), event(3)]
    await file.outbox.plan([Plan(seq=waiting[1].seq)])
    assert await numbers(file) == [waiting[0].seq, waiting[2].seq]
    assert [one.seq for one in await file.inbox.take(limit=1, after=waiting[0].seq)] == [waiting[2].seq]


async def test_more_than_memory_holds_comes_from_the_file(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long queue is read from the file until it is short again."""
    monkeypatch.setattr(recent, "MOST", 5)
    await numbers(file)
    await asyncio.gather(*[file.inbox.put(arrival(number)) for number in range(20)])
    left = await numbers(file)
    while left:
        await file.outbox.plan([Plan(seq=seq) for seq in left[:3]])
        left = await numbers(file)
    await file.inbox.put(arrival(99))
    assert file._recent.take(9, 0) == await file.inbox.take(limit=9)


async def test_a_refused_event_that_is_accepted_waits(file: EventsFile) -> None:
    """What comes back to the inbox with an old number is found, before what came later."""
    await numbers(file)
    refused = arrival(1, verdict=Verdict.REFUSED, reason="signature_wrong")
    await file.inbox.put(refused)
    await file.inbox.put(arrival(2))
    await file.actions.accept(1, replace(refused.event, verdict=Verdict.ACCEPTED, reason=""))
    assert await numbers(file) == [1, 2]


async def test_a_commit_of_unknown_outcome_is_looked_up(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that was stored although its sender was told otherwise is planned all the same."""
    await numbers(file)

    async def run_and_fail(work: object) -> None:
        database = file._writer._database
        assert database is not None
        await type(database).run(database, work)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("the answer was lost")

    with monkeypatch.context() as patch:
        assert file._writer._database is not None
        patch.setattr(file._writer._database, "run", run_and_fail)
        with pytest.raises(StoreUnavailable):
            await file.inbox.put(arrival(1))
    assert len(await numbers(file)) == 1


async def test_what_waited_before_a_restart_waits_after_it(path: Path) -> None:
    """Memory that is gone is no loss."""
    async with opened(path) as file:
        await file.inbox.put(arrival(1))
    async with opened(path) as file:
        await file.inbox.put(arrival(2))
        assert await numbers(file) == [1, 2]

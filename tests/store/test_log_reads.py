"""What the page reads of the log: a touchpoint's last deliveries, and where a search through bodies begins and ends."""

import asyncio
from pathlib import Path

import pytest

from store.log import Filter
from store.sqlite.events_file import EventsFile
from store.sqlite.log import SELECT_RECENT
from store.sqlite.scan import SELECT_FIRST_KEPT, SELECT_LAST_KEPT
from tests.store.make import NOW, arrival, delivered, failed, put_and_plan, query
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import DAY

pytestmark = pytest.mark.anyio


async def settled(file: EventsFile, states: list[DeliveryState]) -> None:
    """Give the oldest due deliveries these states."""
    jobs = await file.outbox.claim(1, now=2**62, limit=len(states), max_bytes=2**40)
    await file.outbox.settle(
        [
            delivered(job.seq) if state is DeliveryState.DELIVERED else failed(job.seq, state=state, due_at=2**61)
            for job, state in zip(jobs, states, strict=True)
        ]
    )


async def test_the_last_deliveries_come_oldest_first_each_with_its_state(file: EventsFile) -> None:
    """As many as asked for, the latest; each touchpoint has its own, one without any has none."""
    await put_and_plan(file, [arrival(number) for number in range(1, 6)])
    given_up, pending, done = DeliveryState.GIVEN_UP, DeliveryState.PENDING, DeliveryState.DELIVERED
    await settled(file, [done, given_up, pending, done])
    recent = await file.log.recent_deliveries([1, 2], limit=4)
    assert recent[1] == [(NOW + 2, "given_up"), (NOW + 3, "pending"), (NOW + 4, "delivered"), (NOW + 5, "pending")]
    assert list(recent[2]) == []


async def test_every_destination_of_an_event_counts(file: EventsFile) -> None:
    """An event that goes to two places is two deliveries."""
    await put_and_plan(file, [arrival(1), arrival(2)], destinations=(1, 2))
    assert [at for at, _ in (await file.log.recent_deliveries([1], limit=3))[1]] == [NOW + 1, NOW + 2, NOW + 2]


async def test_tests_and_refused_events_are_left_out(file: EventsFile) -> None:
    """Neither says anything about a destination's health."""
    await put_and_plan(file, [arrival(1), arrival(2, test=True)])
    for number in range(3, 8):
        await file.inbox.put(arrival(number, verdict=Verdict.REFUSED, reason="signature_wrong"))
    assert await file.log.recent_deliveries([1], limit=30) == {1: [(NOW + 1, "pending")]}


async def test_a_flood_of_refused_events_costs_nothing(file: EventsFile, path: Path) -> None:
    """Only the last three hundred events of a touchpoint are looked through, by its own index."""
    await put_and_plan(file, [arrival(1)])
    refused = [arrival(number, verdict=Verdict.REFUSED, reason="signature_wrong") for number in range(2, 303)]
    await asyncio.gather(*(file.inbox.put(one) for one in refused))
    assert await file.log.recent_deliveries([1], limit=30) == {1: []}
    steps = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {SELECT_RECENT}", 1, 30)]
    assert any("SEARCH events USING" in step for step in steps), steps
    assert any("SEARCH d USING" in step for step in steps), steps
    assert not any("SCAN events" in step for step in steps), steps


async def test_a_search_reaches_what_was_received_in_its_time(file: EventsFile, path: Path) -> None:
    """From the first to behind the last, with a day of grace on both sides; nothing stored is no reach."""
    assert await file.log.reach(Filter()) == (0, 0)
    for number in range(1, 11):
        await file.inbox.put(arrival(number, received_at=NOW + number * DAY))
    assert await file.log.reach(Filter()) == (1, 11)
    assert await file.log.reach(Filter(since=NOW + 4 * DAY, until=NOW + 6 * DAY)) == (3, 7)
    assert await file.log.reach(Filter(since=NOW + 30 * DAY)) == (0, 0)
    for sql in (SELECT_FIRST_KEPT, SELECT_LAST_KEPT):
        (step,) = (row[3] for row in query(path, f"EXPLAIN QUERY PLAN {sql}", NOW))
        assert step.startswith("SEARCH events USING COVERING INDEX events_age"), step

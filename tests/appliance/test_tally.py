"""The tally: what came and went is counted in memory and written down now and then."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.statistics import Tally
from store.inbox import StoreUnavailable
from store.outbox import Settlement
from store.statistics import Figures, bucket
from tests.store.make import arrival
from touchpoints.attempt import Attempt, Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Delivery, DeliveryState, Job
from touchpoints.moment import MINUTE, SECOND

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000 * SECOND // MINUTE * MINUTE


class Book:
    """Keeps what is written down."""

    def __init__(self) -> None:
        self.minutes: dict[int, Figures] = {}
        self.broken = False

    async def add(self, minutes: dict[int, Figures], *, now: int) -> None:  # noqa: ARG002 - the interface names it
        if self.broken:
            raise StoreUnavailable("disk_full")
        for number, figures in minutes.items():
            self.minutes.setdefault(number, Figures()).add(figures)


def attempt(
    outcome: Outcome, *, run: int = 1, state: DeliveryState = DeliveryState.DELIVERED, **event: Any
) -> tuple[Job, Settlement]:
    """An attempt that began at NOW and took 20 ms, of an event that came 10 ms before."""
    one = replace(arrival(1, received_at=NOW - 10_000).event, **event)
    delivery = Delivery(id=f"{one.id}-x", event_id=one.id, touchpoint=1, destination=1, run=run)
    job = Job(seq=1, delivery=delivery, event=one, body=b"")
    tried = Attempt(number=1, started_at=NOW, duration=20_000, outcome=outcome)
    return job, Settlement(seq=1, attempt=tried, state=state)


FAILED = Failed(blame=Blame.EVENT, code="http_status", error="500")


async def test_everything_is_counted_in_its_minute() -> None:
    """Receipts, refusals, deliveries with the time they took, failures, and what was given up."""
    now, book = [NOW], Book()
    tally = Tally(now=lambda: now[0])
    tally.received()
    tally.refused(arrival(2, received_at=NOW).event)
    tally.settled(*attempt(Delivered(http_status=200)))
    tally.settled(*attempt(FAILED, state=DeliveryState.PENDING))
    tally.settled(*attempt(FAILED, state=DeliveryState.GIVEN_UP))
    now[0] += MINUTE
    tally.received()
    await tally.write_down(book)
    await tally.write_down(book)
    first = book.minutes[NOW // MINUTE]
    assert (first.received, first.refused, first.delivered, first.failed, first.given_up) == (1, 1, 1, 2, 1)
    assert first.latencies == {bucket(30_000): 1}
    assert book.minutes[NOW // MINUTE + 1].received == 1


async def test_tests_count_for_nothing_and_replays_have_no_time() -> None:
    """A figure tells of real traffic; a replay's way began when a person asked for it."""
    book, tally = Book(), Tally(now=lambda: NOW)
    tally.settled(*attempt(Delivered(), test=True))
    tally.settled(*attempt(Delivered(), run=2))
    assert tally.pulse == 2
    await tally.write_down(book)
    assert book.minutes[NOW // MINUTE] == Figures(delivered=1)


async def test_what_cannot_be_written_waits() -> None:
    """A full disk loses no count of the last minutes."""
    book, tally = Book(), Tally(now=lambda: NOW)
    book.broken = True
    tally.received()
    await tally.write_down(book)
    tally.received()
    book.broken = False
    await tally.write_down(book)
    assert book.minutes[NOW // MINUTE].received == 2

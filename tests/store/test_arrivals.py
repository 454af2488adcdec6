"""Arrivals by the minute, in the events file."""

import pytest

from store.sqlite.events_file import EventsFile
from tests.store.make import query
from touchpoints.moment import DAY, HOUR, MINUTE
from touchpoints.quiet import KEPT

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000_000 // HOUR * HOUR


async def test_minutes_come_back_in_order_each_once(file: EventsFile) -> None:
    """The first and the last of an hour too, and each touchpoint's own."""
    moments = (NOW, NOW + 20, NOW + 59 * MINUTE, NOW + HOUR, NOW + 7 * MINUTE)
    for at in moments:
        await file.arrivals.add({1: at, 2: NOW}, now=NOW + 2 * HOUR)
    assert await file.arrivals.minutes(1) == [NOW, NOW + 7 * MINUTE, NOW + 59 * MINUTE, NOW + HOUR]
    assert await file.arrivals.minutes(2) == [NOW]
    assert await file.arrivals.minutes(3) == []


async def test_old_hours_go(file: EventsFile) -> None:
    """Five weeks are kept: at most 841 small rows a touchpoint, however many events come."""
    await file.arrivals.add({1: NOW}, now=NOW)
    await file.arrivals.add({1: NOW + KEPT}, now=NOW + KEPT)
    assert len(await file.arrivals.minutes(1)) == 2
    await file.arrivals.add({1: NOW + KEPT + DAY}, now=NOW + KEPT + DAY)
    assert await file.arrivals.minutes(1) == [NOW + KEPT, NOW + KEPT + DAY]
    assert query(file.path, "SELECT count(*) FROM arrivals") == [(2,)]

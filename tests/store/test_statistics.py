"""Statistics: buckets, quantiles, and minutes in the events file."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from store.sqlite.events_file import EventsFile
from store.sqlite.statistics import KEPT
from store.statistics import Figures, bucket, middle, quantile
from touchpoints.moment import DAY, HOUR, MINUTE

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000_000 // HOUR * HOUR


@given(some.integers(8, 2**50))
def test_a_bucket_tells_a_span_within_an_eighth(span: int) -> None:
    """What is read from a bucket is near what was put in."""
    assert abs(middle(bucket(span)) - span) <= span / 8 + 1


@given(some.integers(0, 2**50), some.integers(0, 2**50))
def test_a_longer_span_is_never_in_a_lower_bucket(one: int, other: int) -> None:
    """Buckets are in the order of spans."""
    assert (bucket(one) <= bucket(other)) or one > other


def test_quantiles_of_nothing_and_of_much() -> None:
    """None where nothing was delivered; else the span that so many stayed under."""
    assert quantile({}, 0.5) is None
    figures = Figures()
    figures.latencies.update({bucket(6_000): 90, bucket(400_000): 10})
    assert figures.median == middle(bucket(6_000))
    assert figures.slowest_tenth == middle(bucket(6_000))
    figures.latencies[bucket(400_000)] += 1
    assert figures.slowest_tenth == middle(bucket(400_000))


async def test_minutes_add_up_into_spans(file: EventsFile) -> None:
    """A minute written twice is added to, and spans hold every minute between, the empty ones too."""
    first = NOW // MINUTE
    one = Figures(received=2, delivered=1, refused=1)
    one.latencies[50] = 1
    statistics = file.statistics
    await statistics.add({first: one, first + 14: Figures(failed=1, given_up=1)}, now=NOW)
    await statistics.add({first: one}, now=NOW)
    spans = await statistics.spans(since=NOW, until=NOW + HOUR, width=15 * MINUTE)
    assert [at for at, _ in spans] == [NOW + number * 15 * MINUTE for number in range(4)]
    assert spans[0][1] == Figures(
        received=4, delivered=2, refused=2, failed=1, given_up=1, latencies=one.latencies + one.latencies
    )
    assert spans[1][1] == Figures()


async def test_old_minutes_go(file: EventsFile) -> None:
    """What no chart shows any more is let go."""
    statistics = file.statistics
    old = Figures(received=1)
    old.latencies[9] = 1
    await statistics.add({NOW // MINUTE: old}, now=NOW)
    await statistics.add({}, now=NOW + KEPT + DAY)
    spans = await statistics.spans(since=NOW, until=NOW + MINUTE, width=MINUTE)
    assert spans == [(NOW, Figures())]

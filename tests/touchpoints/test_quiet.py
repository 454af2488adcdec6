"""What is longer than usual: nights, weekends, busy noons and rare events, over weeks of made-up traffic."""

import random
from collections.abc import Callable

import pytest

from touchpoints.moment import DAY, HOUR, MINUTE, Micros
from touchpoints.quiet import KEPT, MARGIN, WEEK, unusual

MONDAY = 1_800_000_000_000_000 // WEEK * WEEK + 4 * DAY  # 1970-01-01 was a Thursday
Open = Callable[[Micros], bool]


def shop(moment: Micros) -> bool:
    """Orders from 8 to 18 o'clock, from Monday to Friday."""
    since = (moment - MONDAY) % WEEK
    return since // DAY < 5 and 8 * HOUR <= since % DAY < 18 * HOUR


def history(weeks: float, *, every: Micros, is_open: Open = lambda _: True) -> list[Micros]:
    """What came in the weeks before Monday."""
    count = round(weeks * WEEK) // every
    return [at for n in range(count, 0, -1) if is_open(at := MONDAY - n * every)]


def alarms(arrivals: list[Micros], since: Micros, *, within: Micros, step: Micros = 10 * MINUTE) -> Micros | None:
    """After how long a quiet is first called unusual."""
    return next((quiet for quiet in range(0, within, step) if unusual(arrivals, since=since, now=since + quiet)), None)


def test_a_dead_sender_at_a_busy_noon_is_told_within_the_hour() -> None:
    """A minute between events is usual; three quarters of an hour are not."""
    arrivals = history(4, every=MINUTE, is_open=shop)
    arrivals += [at for n in range(4 * 60 + 1) if shop(at := MONDAY + DAY + 8 * HOUR + n * MINUTE)]
    first = alarms(arrivals, arrivals[-1], within=DAY)
    assert first is not None
    assert MARGIN < first <= HOUR


def test_a_night_and_a_weekend_are_quiet_as_ever() -> None:
    """From Friday evening to Monday morning nobody is called."""
    arrivals = history(4, every=5 * MINUTE, is_open=shop)
    assert (MONDAY - arrivals[-1]) // HOUR == 54
    assert alarms(arrivals, arrivals[-1], within=MONDAY + 8 * HOUR - arrivals[-1]) is None


def test_a_sender_that_is_dead_since_friday_is_told_in_the_end() -> None:
    """Twice a weekend is longer than usual."""
    arrivals = history(4, every=5 * MINUTE, is_open=shop)
    first = alarms(arrivals, arrivals[-1], within=7 * DAY)
    assert first is not None
    assert first < 5.5 * DAY


def test_one_holiday_makes_the_next_no_alarm() -> None:
    """What was quiet once at this time of the week, in the last four weeks, may be so again."""
    monday_off = MONDAY - 2 * WEEK
    arrivals = [at for at in history(4, every=5 * MINUTE, is_open=shop) if not monday_off <= at < monday_off + DAY]
    assert alarms(arrivals, arrivals[-1], within=MONDAY + DAY + 8 * HOUR - arrivals[-1]) is None


@pytest.mark.parametrize("distance", [HOUR, 4 * HOUR, DAY])
def test_rare_events_at_random_seldom_alarm(distance: Micros) -> None:
    """They come whenever they like: over two years at most one false alarm."""
    false = 0
    for seed in range(4):
        chance = random.Random(seed)
        arrivals, at = [], MONDAY - 30 * DAY
        while at < MONDAY + 180 * DAY:
            at += round(chance.expovariate(1 / distance))
            arrivals.append(at)
        first = 0
        for place in range(sum(at < MONDAY for at in arrivals), len(arrivals)):
            if arrivals[place] - arrivals[place - 1] < 4 * distance:
                continue  # no quiet at all
            while arrivals[first] < arrivals[place - 1] - KEPT:
                first += 1
            known = arrivals[first:place]
            false += unusual(known, since=known[-1], now=arrivals[place]) is not None
    assert false <= 1


def test_rare_events_that_stop_are_told_all_the_same() -> None:
    """Six a day: after three days nobody waits any longer."""
    chance = random.Random(1)
    arrivals = [MONDAY - 35 * DAY]
    while arrivals[-1] < MONDAY:
        arrivals.append(arrivals[-1] + round(chance.expovariate(1 / (4 * HOUR))))
    first = alarms(arrivals, arrivals[-1], within=5 * DAY)
    assert first is not None
    assert first < 3 * DAY


def test_it_says_what_was_usual() -> None:
    """For how long nothing came, and the longest quiet before."""
    arrivals = history(4, every=HOUR)
    found = unusual(arrivals, since=arrivals[-1], now=arrivals[-1] + 17 * HOUR)
    assert found is not None
    assert (found.quiet, found.usual) == (17 * HOUR, HOUR)
    assert unusual(arrivals, since=arrivals[-1], now=arrivals[-1] + 16 * HOUR) is None


def test_without_history_nothing_is_unusual() -> None:
    """Two weeks and twenty arrivals are the least."""
    young = history(1.9, every=MINUTE)
    assert unusual(young, since=MONDAY, now=MONDAY + 30 * DAY) is None
    few = history(4, every=2 * DAY)
    assert len(few) < 20
    assert unusual(few, since=MONDAY, now=MONDAY + 300 * DAY) is None
    assert unusual([], since=MONDAY, now=MONDAY + DAY) is None


def test_a_quiet_of_more_than_a_week_is_compared_with_what_came_before_it() -> None:
    """The quiet itself is no history."""
    arrivals = history(5, every=6 * HOUR)
    assert unusual(arrivals, since=arrivals[-1], now=arrivals[-1] + 9 * DAY) is not None

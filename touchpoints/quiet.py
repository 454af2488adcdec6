"""Whether a touchpoint has been quiet for longer than usual. Pure, and simple enough to be told in a sentence.

A quiet is unusual when it is more than twice as long as the longest one that touched the same hours of the week in the weeks
before, and half an hour more. So a night is compared with nights, a weekend with weekends, and a busy noon with busy noons.
It must also be sixteen times as long as the usual distance of two events: where they come rarely and at random, chance alone
makes quiets that no week before had seen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from touchpoints.moment import DAY, MINUTE, Micros

WEEK = 7 * DAY
WEEKS = 4  # that are looked back at
LEAST_WEEKS = 2  # of history, before anything can be called usual
LEAST_ARRIVALS = 20  # minutes in which something came
MARGIN = 30 * MINUTE
FAR = 16
KEPT = (WEEKS + 1) * WEEK  # of history: a quiet as long as a week still has four weeks before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A quiet that is longer than usual."""

    quiet: Micros
    usual: Micros  # the longest one before, at this time of the week


def unusual(arrivals: Sequence[Micros], *, since: Micros, now: Micros) -> Unusual | None:
    """Whether nothing since `since` is unusual. `arrivals` are the moments before it in order, at most one for each minute."""
    quiet = now - since
    if quiet <= MARGIN or len(arrivals) < LEAST_ARRIVALS or since - arrivals[0] < LEAST_WEEKS * WEEK:
        return None
    weeks = [back * WEEK for back in range(1, WEEKS + 1) if since - back * WEEK >= arrivals[0]]
    usual = max(longest_touching(arrivals, since - back, min(now - back, since)) for back in weeks)
    if quiet <= 2 * usual + MARGIN or quiet <= FAR * usual_distance(arrivals):
        return None
    return Unusual(quiet=quiet, usual=usual)


def usual_distance(arrivals: Sequence[Micros]) -> Micros:
    """The median distance of two arrivals: half of them are nearer, whatever nights and weekends there are."""
    return round(median(after - before for before, after in pairwise(arrivals)))


def longest_touching(arrivals: Sequence[Micros], first: Micros, last: Micros) -> Micros:
    """The longest span without an arrival that has a part between two moments, measured as a whole."""
    low = max(bisect_right(arrivals, first) - 1, 0)
    high = min(bisect_left(arrivals, last), len(arrivals) - 1)
    spans = (arrivals[place + 1] - arrivals[place] for place in range(low, high))
    return max(spans, default=0)

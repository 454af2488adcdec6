"""The pace of pulling: how long a poll waits, and how long a failure makes it rest."""

from collections.abc import Callable

FIRST_WAIT = 25.0  # seconds: what nearly everything on the way bears
# Under the minute after which many middleboxes forget a quiet connection; with the grace of an answer, a dead one is noticed
# within that minute too. Fewer polls are what lets a proxy have thousands of agents that wait.
LONGEST_WAIT = 45.0
SHORTEST_WAIT = 5.0
QUIET_POLLS = 8  # polls that waited in full, until a longer wait is tried; after each that was too long four times as many
MOST_QUIET_POLLS = 2048
PAUSED_WAIT = 5.0  # while nothing can be taken in: the lease is kept, and it is looked again soon
FIRST_REST = 0.2
LONGEST_REST = 30.0
LEAST_SHARE = 512  # of 8 MiB: 16 KiB
SPUN = 0.5  # an answer without anything that comes sooner than this is not to be asked for again at once


class PullPace:
    """Adapts to what lies between agent and proxy. `jitter` gives numbers from -1 to 1."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self.wait = FIRST_WAIT
        self.failures = 0
        self.share = 1  # of a batch only so many-th part is asked for: a line is too slow for a whole one
        self._quiet = 0  # polls that waited in full since the last change
        self._enough = QUIET_POLLS

    def begin_anew(self) -> None:
        """Perhaps another network: nothing that was learnt holds."""
        self.wait, self.failures, self.share = FIRST_WAIT, 0, 1
        self._quiet, self._enough = 0, QUIET_POLLS

    def good(self, after: float) -> None:
        """The proxy answered after so many seconds."""
        self.failures = 0
        self.share = max(1, self.share // 2)
        self._quiet += after >= self.wait * 0.9
        if self._quiet >= self._enough:
            self.wait, self._quiet = min(LONGEST_WAIT, self.wait * 1.25), 0

    def cut(self, after: float, *, coming: bool = False) -> None:
        """A poll got no whole answer.

        Where none was `coming`, something between may not bear so long a silence; else the next one had better be smaller.
        """
        if coming:
            self.share = min(self.share * 8, LEAST_SHARE)
        elif after >= SHORTEST_WAIT:
            self.wait, self._quiet = max(SHORTEST_WAIT, min(self.wait, after) * 0.8), 0
            self._enough = min(MOST_QUIET_POLLS, self._enough * 4)

    def rest(self, *, at_least: float = 0.0) -> float:
        """Seconds to rest after one more failure: up to a doubling span, anything of it (full jitter)."""
        span = min(LONGEST_REST, FIRST_REST * 2.0 ** min(self.failures, 10))
        self.failures += 1
        return max(at_least, span * (self._jitter() + 1) / 2)

    def breath(self) -> float:
        """Seconds between answers that bring nothing and come at once."""
        return SPUN + (self._jitter() + 1) / 4

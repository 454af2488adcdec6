"""The rate: a token bucket for each touchpoint or address, so that one flooding sender does not use up the others' share."""

from collections.abc import Hashable

from touchpoints.moment import SECOND, Micros

MOST = 16_384  # buckets kept: a flood from many addresses must not fill the memory


class Rate:
    """Lets through `per_second` requests a second on average, and as many in one burst."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, tuple[float, Micros]] = {}  # whose: tokens left, when that was so

    def allow(self, whose: Hashable, per_second: int, now: Micros) -> bool:
        """Whether one more request may pass now."""
        tokens, since = self._buckets.pop(whose, (float(per_second), now))
        elapsed = max(0, now - since) / SECOND  # a clock set back earns nothing and costs nothing
        tokens = min(float(per_second), tokens + elapsed * per_second)
        allowed = tokens >= 1.0
        self._buckets[whose] = (tokens - allowed, now)  # the one used last stands last
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        return allowed

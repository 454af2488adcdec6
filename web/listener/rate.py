"""The rate: a token bucket for each touchpoint, so that one flooding sender does not use up the others' share."""

from touchpoints.moment import SECOND, Micros


class Rate:
    """Lets through `per_second` requests a second on average, and as many in one burst."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[float, Micros]] = {}  # touchpoint: tokens left, when that was so

    def allow(self, touchpoint: int, per_second: int, now: Micros) -> bool:
        """Whether one more request may pass now."""
        tokens, since = self._buckets.get(touchpoint, (float(per_second), now))
        elapsed = max(0, now - since) / SECOND  # a clock set back earns nothing and costs nothing
        tokens = min(float(per_second), tokens + elapsed * per_second)
        allowed = tokens >= 1.0
        self._buckets[touchpoint] = (tokens - allowed, now)
        return allowed

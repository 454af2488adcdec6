"""The steadiness of the clock: wall time against monotonic time, so that one bad clock does not erase a month."""

from touchpoints.moment import HOUR, SECOND, Micros

JUMP = 5 * SECOND
CALM_AFTER = HOUR


class Steadiness:
    """Notices jumps. The start counts as one: a machine may have started with a wrong date."""

    def __init__(self, *, wall: Micros, steady: Micros) -> None:
        self._apart = wall - steady
        self._jumped_at = steady

    def observe(self, *, wall: Micros, steady: Micros) -> Micros:
        """How far the wall clock jumped since the last look; 0 when it did not."""
        moved = (wall - steady) - self._apart
        if abs(moved) <= JUMP:
            return 0
        self._apart = wall - steady
        self._jumped_at = steady
        return moved

    def calm(self, *, steady: Micros) -> bool:
        """Whether wall time has been believable for an hour; only then may anything be erased by its age."""
        return steady - self._jumped_at >= CALM_AFTER

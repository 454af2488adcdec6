"""The traffic: what each organisation received lately, counted in memory."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from touchpoints.moment import MINUTE, Micros

KEPT = 60  # minutes


@dataclass(slots=True)
class _Counted:
    minutes: deque[tuple[int, int]] = field(default_factory=deque)  # (minute since 1970, events), oldest first
    last: Micros = 0


class Traffic:
    """Costs well under a microsecond an event. `pulse` changes with everything that happens, for those who watch."""

    def __init__(self, *, now: Callable[[], Micros]) -> None:
        self.pulse = 0
        self._now = now
        self._of: dict[int, _Counted] = {}

    def received(self, organisation: int) -> None:
        """An event was stored."""
        self.pulse += 1
        now = self._now()
        counted = self._of.get(organisation) or self._of.setdefault(organisation, _Counted())
        counted.last = now
        minute = now // MINUTE
        minutes = counted.minutes
        if minutes and minutes[-1][0] == minute:
            minutes[-1] = (minute, minutes[-1][1] + 1)
            return
        minutes.append((minute, 1))
        while len(minutes) > KEPT:
            minutes.popleft()

    def moved(self) -> None:
        """Something else happened that a page shows."""
        self.pulse += 1

    def last_hour(self, organisation: int) -> int:
        """How many events it received within the last hour, as far as this process saw it."""
        since = self._now() // MINUTE - KEPT
        counted = self._of.get(organisation)
        return sum(count for minute, count in counted.minutes if minute > since) if counted else 0

    def last_at(self, organisation: int) -> Micros | None:
        """When it received the last one since this process began."""
        counted = self._of.get(organisation)
        return counted.last if counted else None

    def forget(self, organisation: int) -> None:
        """It is gone."""
        self._of.pop(organisation, None)

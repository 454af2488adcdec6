"""The tally: counts what comes and goes in memory, minute by minute, and writes it down every few seconds."""

from collections.abc import Callable
from typing import Protocol

import structlog

from store.inbox import StoreUnavailable
from store.outbox import Settlement
from store.statistics import Figures, bucket
from touchpoints.attempt import Delivered
from touchpoints.delivery import DeliveryState, Job
from touchpoints.event import Event
from touchpoints.moment import MINUTE, Micros

log = structlog.get_logger()

_KEPT_BACK = 10  # minutes that wait while they cannot be written; the oldest go


class Book(Protocol):
    """Where the tally is written down."""

    async def add(self, minutes: dict[int, Figures], *, now: Micros) -> None:
        """Add to minutes, numbered from 1970. Raises StoreUnavailable."""


class Tally:
    """Costs well under a microsecond an event. `pulse` changes with everything that happens, for those who watch."""

    def __init__(self, *, now: Callable[[], Micros]) -> None:
        self.pulse = 0
        self._now = now
        self._minutes: dict[int, Figures] = {}
        self._figures = Figures()
        self._number = -1

    def received(self, events: int = 1) -> None:
        """Events were verified and stored."""
        self._current(self._now()).received += events

    def refused(self, event: Event) -> None:
        """A request failed verification."""
        self._current(event.received_at).refused += 1

    def settled(self, job: Job, settlement: Settlement) -> None:
        """An attempt came to something."""
        if job.event.test:
            self.pulse += 1
            return
        attempt = settlement.attempt
        ended = attempt.started_at + attempt.duration
        figures = self._current(ended)
        if isinstance(attempt.outcome, Delivered):
            figures.delivered += 1
            if job.delivery.run == 1:  # a replay's way began when a person asked for it
                figures.latencies[bucket(max(0, ended - job.event.received_at))] += 1
            return
        figures.failed += 1
        if settlement.state is DeliveryState.GIVEN_UP:
            figures.given_up += 1

    async def write_down(self, book: Book) -> None:
        """Write what has gathered; what cannot be written now is written next time."""
        minutes, self._minutes, self._number = self._minutes, {}, -1
        if not minutes:
            return
        try:
            await book.add(minutes, now=self._now())
        except StoreUnavailable as error:
            log.debug("statistics_wait", code=error.code)
            for number in sorted(minutes)[-_KEPT_BACK:]:
                self._minutes.setdefault(number, Figures()).add(minutes[number])
            self._number = -1

    def _current(self, moment: Micros) -> Figures:
        self.pulse += 1
        number = moment // MINUTE
        if number != self._number:
            self._number = number
            self._figures = self._minutes.setdefault(number, Figures())
        return self._figures

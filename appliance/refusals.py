"""Refusals in direct mode: every one is counted, and a bounded sample is kept, however many a stranger sends."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from store.inbox import Inbox, StoreUnavailable
from touchpoints.event import Arrival, Event
from touchpoints.moment import MINUTE, Micros

log = structlog.get_logger()

# Enough to see what is wrong, too little to fill a disk: the store keeps the newest 200 of each touchpoint.
SAMPLES_A_MINUTE = 10
SAMPLE_BYTES = 1024 * 1024
WAITING_SAMPLES = 50


class CountingInbox(Inbox, Protocol):
    """An inbox that also counts what is not kept."""

    async def count_refusals(self, refusals: Mapping[tuple[int, str], int], *, now: Micros) -> None:
        """Add to the counts by touchpoint and reason. Raises StoreUnavailable."""


class Refusals:
    """Counts in memory, written in slices; samples wait in a short line for the inbox."""

    def __init__(self, *, now: Callable[[], Micros]) -> None:
        self._now = now
        self._counts: Counter[tuple[int, str]] = Counter()
        self._samples: list[Arrival] = []
        self._minute = 0
        self._taken: Counter[int] = Counter()

    def note(self, event: Event, body: bytes) -> None:
        """Keep one as a sample where there is room (the inbox counts it), else only count it."""
        if self._room(event.touchpoint) and len(body) <= SAMPLE_BYTES:
            self._taken[event.touchpoint] += 1
            self._samples.append(Arrival(event=event, body=body))
        else:
            self._counts[event.touchpoint, event.reason] += 1

    def _room(self, touchpoint: int) -> bool:
        minute = self._now() // MINUTE
        if minute != self._minute:
            self._minute = minute
            self._taken.clear()
        return len(self._samples) < WAITING_SAMPLES and self._taken[touchpoint] < SAMPLES_A_MINUTE

    async def flush(self, inbox: CountingInbox) -> None:
        """Write what has gathered; what cannot be written now is written next time."""
        try:
            await self._flush_counts(inbox)
            await self._flush_samples(inbox)
        except StoreUnavailable as error:
            log.warning("refusals_wait", code=error.code)

    async def _flush_counts(self, inbox: CountingInbox) -> None:
        counts, self._counts = self._counts, Counter()
        try:
            if counts:
                await inbox.count_refusals(counts, now=self._now())
        except StoreUnavailable:
            self._counts += counts
            raise

    async def _flush_samples(self, inbox: CountingInbox) -> None:
        """One after the other, each kept until it is stored: a put that is cut off may be repeated."""
        while self._samples:
            sample = self._samples[0]
            await inbox.put(sample)
            if self._samples and self._samples[0] is sample:
                self._samples.pop(0)

"""The statistics: how many came and went, minute by minute, and how long it took. For charts; nothing is decided by them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from touchpoints.moment import Micros


@dataclass(slots=True, kw_only=True)
class Figures:
    """What happened in a span of time; tests are left out."""

    received: int = 0  # verified and stored
    refused: int = 0
    delivered: int = 0
    failed: int = 0  # attempts that failed
    given_up: int = 0
    latencies: Counter[int] = field(default_factory=Counter)  # of deliveries, from receipt to answer, by `bucket`

    def add(self, other: "Figures") -> None:
        """Take in another span's."""
        self.received += other.received
        self.refused += other.refused
        self.delivered += other.delivered
        self.failed += other.failed
        self.given_up += other.given_up
        self.latencies.update(other.latencies)

    @property
    def median(self) -> Micros | None:
        """Half of the deliveries took no longer than this."""
        return quantile(self.latencies, 0.5)

    @property
    def slowest_tenth(self) -> Micros | None:
        """A tenth of the deliveries took longer than this."""
        return quantile(self.latencies, 0.9)


def bucket(span: Micros) -> int:
    """The bucket of a span: four to each doubling, so that a figure read from one is an eighth off at most."""
    size = span.bit_length()
    return 0 if size < 4 else 4 * size + (span >> size - 3 & 3)


def middle(number: int) -> Micros:
    """A span in the middle of a bucket."""
    if not number:
        return 4
    size, quarter = divmod(number, 4)
    return (9 + 2 * quarter) << size - 4


def quantile(latencies: Mapping[int, int], part: float) -> Micros | None:
    """The span that `part` of all took no longer than; None where there are none."""
    wanted = sum(latencies.values()) * part
    seen = 0
    for number in sorted(latencies):
        seen += latencies[number]
        if seen >= wanted:
            return middle(number)
    return None


def total(spans: Iterable[Figures]) -> Figures:
    """The figures of several spans together."""
    together = Figures()
    for one in spans:
        together.add(one)
    return together


class Statistics(Protocol):
    """Figures by the minute, kept for about a week."""

    async def spans(self, *, since: Micros, until: Micros, width: Micros) -> Sequence[tuple[Micros, Figures]]:
        """Every span of `width` (whole minutes) that begins from `since` on and before `until`, the empty ones too."""

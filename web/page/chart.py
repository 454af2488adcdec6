"""The chart: what came and went in the last hour or day, and how long it took."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar import get
from litestar.params import QueryParameter

from store.inbox import StoreUnavailable
from store.statistics import Figures, total
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros
from web.api.desk import AtDesk, Desk
from web.guard import SAME_ORIGIN

Period = Literal["hour", "day"]
_WIDTHS: dict[str, tuple[Micros, Micros]] = {"hour": (HOUR, MINUTE), "day": (DAY, 15 * MINUTE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Spans in order, each with when it began."""

    spans: tuple[tuple[Micros, Figures], ...]

    @property
    def total(self) -> Figures:
        """Everything together."""
        return total(figures for _, figures in self.spans)

    @property
    def columns(self) -> list[list[float | None]]:
        """For uPlot: seconds, received, delivered, failed, median and slowest tenth in milliseconds."""
        every = [figures for _, figures in self.spans]
        return [
            [at / SECOND for at, _ in self.spans],
            [one.received for one in every],
            [one.delivered for one in every],
            [one.failed for one in every],
            [_ms(one.median) for one in every],
            [_ms(one.slowest_tenth) for one in every],
        ]


async def chart_of(desk: Desk, period: str) -> Chart:
    """The chart; empty while the events file cannot be read."""
    length, width = _WIDTHS[period]
    until = desk.now() // width * width + width
    try:
        spans = await desk.statistics().spans(since=until - length, until=until, width=width)
    except StoreUnavailable:
        spans = []
    return Chart(spans=tuple(spans))


@get("/live/chart.json", include_in_schema=False, opt={SAME_ORIGIN: True})
async def chart_json(
    desk: AtDesk, period: Annotated[Period, QueryParameter(description="The last hour or day.")] = "hour"
) -> dict[str, Any]:
    """The columns that uPlot draws, and how many minutes this machine is ahead of UTC at each span."""
    chart, times = await chart_of(desk, period), desk.times
    return {"columns": chart.columns, "east": [times.east(at) for at, _ in chart.spans]}


def _ms(span: Micros | None) -> float | None:
    return None if span is None else span / 1000

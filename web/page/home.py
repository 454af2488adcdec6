"""The home screen: the road, what needs a person, the figures, the latest. Its pieces are live."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template

from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.badge import badges
from web.page.chart import Period, chart_of
from web.page.latest import latest
from web.page.need import needs_shown
from web.page.render import fragment, show
from web.page.road import road

# Each piece's template, by the name it has in the live stream.
PIECES = {
    "badge": "_badge.html",
    "proxy": "_proxy_now.html",
    "road": "_road.html",
    "needs": "_needs.html",
    "figures": "_figures.html",
    "latest": "_latest.html",
}


@get("/", include_in_schema=False)
async def home(
    desk: AtDesk,
    request: CallerRequest,
    period: Annotated[Period, QueryParameter(description="What the chart shows.")] = "hour",
) -> Template:
    """Everything at one glance."""
    return show(
        request, desk, "home.html", section="home", period=period, chart=await chart_of(desk, period), **await _values(desk)
    )


async def pieces(desk: Desk) -> Mapping[str, str]:
    """Every live piece, rendered."""
    standing = desk.standing
    values = {
        "times": replace(desk.times, steady=True),
        "badges": badges(desk.vitals(), standing, desk.mode),
        "standing": standing,
        **await _values(desk),
    }
    return {name: fragment(template, **values) for name, template in PIECES.items()}


async def _values(desk: Desk) -> dict[str, Any]:
    status, overview, lines, day = await asyncio.gather(
        desk.control.status(), desk.control.touchpoints(), latest(desk), chart_of(desk, "day")
    )
    return {
        "road": road(status, overview["touchpoints"], desk.vitals(), desk.standing),
        "needs": needs_shown(status),
        "lines": lines,
        "names": desk.names,
        "today": day.total,
    }

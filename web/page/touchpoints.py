"""The touchpoints: one line each."""

from datetime import datetime

from litestar import get
from litestar.response import Template

from store.inbox import StoreUnavailable
from touchpoints.moment import from_datetime
from touchpoints.provider import providers
from web.api.desk import AtDesk, CallerRequest
from web.page.endpoints import endpoints_of
from web.page.render import show
from web.page.ticks import ticks_of


@get("/touchpoints", include_in_schema=False)
async def touchpoints_page(desk: AtDesk, request: CallerRequest) -> Template:
    """Sender, name, destinations, health, last event, endpoint URL, state."""
    numbers = {one.name: one.id for one in desk.control.configuration().touchpoints}
    listed = (await desk.control.touchpoints())["touchpoints"]
    try:
        ticks = await ticks_of(desk, list(numbers.values()))
    except StoreUnavailable:
        ticks = {}  # the list is wanted most when the events file is in trouble
    lines = [
        {
            **one,
            "label": providers()[one["provider"]].label,
            "endpoints": endpoints_of(desk, one),
            "last": from_datetime(datetime.fromisoformat(one["last_event_at"])) if one["last_event_at"] else None,
            "ticks": ticks.get(numbers.get(one["name"], 0)),
        }
        for one in listed
    ]
    return show(request, desk, "touchpoints.html", section="touchpoints", lines=lines)

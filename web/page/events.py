"""The events screen: what came, newest first, filtered; a row opens beside the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.response import Template
from markupsafe import Markup

from store.log import Listed
from touchpoints.problem import Problem, ProblemError
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.event import event_values
from web.page.event_view import DEEDS, state_of, what_happened
from web.page.filters import chosen_names, number_in, renamed
from web.page.render import fragment, show

PAGE = 50
STATES = ("delivered", "pending", "held", "given_up", "refused", "duplicate", "filtered", "split", "dismissed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a list."""

    listed: Listed
    state: str
    words: Markup


@get("/events", include_in_schema=False)
async def events_page(desk: AtDesk, request: CallerRequest) -> Template:
    """A page of events; `before` goes on, `open` shows one beside the list."""
    chosen = chosen_names(request.query_params)
    problems: Sequence[Problem] = ()
    listed: Sequence[Listed] = ()
    before = number_in(request.query_params.get("before"))
    try:
        which = desk.control.selectors(chosen)
        listed = await desk.log().events(which, limit=PAGE, before=before)
    except ProblemError as error:
        problems = error.problems
    opened = ""
    if wanted := request.query_params.get("open"):
        opened = fragment("_event.html", beside=True, times=desk.times, **await event_values(desk, wanted))
    return show(
        request,
        desk,
        "events.html",
        section="events",
        status=400 if problems else 200,
        lines=await lines_of(desk, listed),
        opened=Markup(opened),  # noqa: S704 - rendered by our own template
        names=desk.names,
        problems=problems,
        newest=listed[0].seq if listed and before is None else None,
        next=f"/events?{urlencode({**chosen, 'before': listed[-1].seq})}" if len(listed) == PAGE else "",
        **form_values(desk, chosen),
    )


@get("/events/new", include_in_schema=False)
async def new_events(desk: AtDesk, request: CallerRequest) -> Response[str]:
    """The pill that says how many came since the list was shown; at most a page is counted."""
    chosen = chosen_names(request.query_params)
    after = number_in(request.query_params.get("after")) or 0
    listed = await desk.log().events(desk.control.selectors(chosen), limit=PAGE + 1)
    count = sum(one.seq > after for one in listed)
    html = fragment("_events_new.html", count=count, most=PAGE, query=urlencode(chosen))
    return Response(html, media_type="text/html")


@get("/events/closed", include_in_schema=False)
async def closed_event(request: CallerRequest) -> Response[str]:
    """What a closed panel holds: nothing."""
    return Response("", media_type="text/html", headers=renamed(request, ""))


def form_values(desk: Desk, chosen: Mapping[str, str]) -> dict[str, Any]:
    """What the filter form shows."""
    touchpoints = desk.control.configuration().touchpoints
    return {
        "chosen": chosen,
        "query": urlencode(chosen),
        "states": STATES,
        "touchpoints": [one.name for one in touchpoints],
        "destinations": sorted({to.name for one in touchpoints for to in one.destinations}),
        "deeds": DEEDS.get(
            chosen.get("state", ""), ("retry", "hold", "release", "give_up", "replay", "dismiss", "verify", "run_duplicate")
        ),
    }


async def lines_of(desk: Desk, listed: Sequence[Listed]) -> list[Line]:
    """The rows of a list, each with its sentence."""
    attempts = await desk.log().last_attempts([one.seq for one in listed]) if listed else {}
    names, times = desk.names, desk.times
    return [Line(listed=one, state=state_of(one), words=what_happened(one, attempts, names, times)) for one in listed]

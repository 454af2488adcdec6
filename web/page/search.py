"""The search: one text finds ids, numbers and keys at once; text in bodies is looked for in slices that a person can stop."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.response import Redirect, Template

from store.log import Filter
from touchpoints.moment import DAY, HOUR, Micros
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.events import lines_of
from web.page.render import fragment, go, is_inside, show
from web.page.signin import Form

MOST_FOUND = 50
RANGES: dict[str, Micros] = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "400d": 400 * DAY}
_LONGEST = 200


@get("/search", include_in_schema=False)
async def search_page(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """What the text names; a single event opens at once."""
    text = request.query_params.get("q", "").strip()[:_LONGEST]
    if not text:
        return go("/events")
    found = await desk.log().find(text.removeprefix("#"), limit=MOST_FOUND)
    if len(found) == 1:
        return go(f"/events?{urlencode({'id': found[0].event.id, 'open': found[0].event.id})}")
    return show(
        request,
        desk,
        "events_search.html",
        section="events",
        names=desk.names,
        text=text,
        lines=await lines_of(desk, found),
        ranges=RANGES,
    )


@get("/search/bodies", include_in_schema=False)
async def scan_bodies(desk: AtDesk, request: CallerRequest) -> Template | Response[str]:
    """One slice of the search through bodies, and where the next one begins; `scan` is missing in the first.

    A person has one at a time: a new one ends the older one.
    """
    query = request.query_params
    scan, person = query.get("scan", ""), request.user.name
    running = _running(request)
    if not scan:
        scan = running[person] = desk.new_token()[:16]
    text, span = query.get("q", "").strip()[:_LONGEST], query.get("range", "24h")
    stopped = running.get(person) != scan or not text
    values = await _slice(desk, text, span, query, stopped=stopped)
    if values["next"] is None:
        _end(running, person, scan)
    values |= {"scan": scan, "text": text, "range": span, "names": desk.names}
    if is_inside(request):
        return Response(fragment("_events_scan.html", now=desk.now(), **values), media_type="text/html")
    return show(request, desk, "events_scan.html", section="events", **values)


@post("/search/stop", include_in_schema=False)
async def stop_scan(data: Form, request: CallerRequest) -> Redirect | Response[str]:
    """Stop one's search through bodies."""
    _running(request).pop(request.user.name, None)
    if is_inside(request):
        return Response("", media_type="text/html")
    return go(f"/search?{urlencode({'q': data.get('q', '')[:_LONGEST]})}")


def _end(running: dict[str, str], person: str, scan: str) -> None:
    if running.get(person) == scan:
        del running[person]


async def _slice(desk: Desk, text: str, span: str, query: Any, *, stopped: bool) -> dict[str, Any]:
    now = desk.now()
    since = _number(query.get("since")) or now - RANGES.get(span, DAY)
    before, top = _number(query.get("before")), _number(query.get("top"))
    looked, hits = _number(query.get("looked")) or 0, _number(query.get("hits")) or 0
    values: dict[str, Any] = {
        "since": since,
        "top": top,
        "looked": looked,
        "hits": hits,
        "stopped": stopped,
        "next": None,
        "lines": [],
    }
    if stopped:
        return values
    part = await desk.log().scan(text.encode(), Filter(since=since, tests=True), before=before)
    values |= {"lines": await lines_of(desk, part.found), "looked": looked + part.looked, "hits": hits + len(part.found)}
    return values | {"next": part.next_before if hits + len(part.found) < 500 else None}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _running(request: CallerRequest) -> dict[str, str]:
    """The search of each person, by name."""
    state = request.app.state
    if "scans" not in state:
        state["scans"] = {}
    found: dict[str, str] = state["scans"]
    return found

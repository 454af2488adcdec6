"""The search: one text finds ids, numbers and keys at once; text in bodies is looked for in slices that a person can stop."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.response import Redirect, Template

from store.log import Filter, Listed
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.events import lines_of
from web.page.filters import number_in
from web.page.render import fragment, go, is_inside, show
from web.page.signin import Form

MOST_FOUND = 50
MOST_IN_BODIES = 500
_LONGEST = 200
_TIMES = ("since", "until")


@get("/search", include_in_schema=False)
async def search_page(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """What the text names; a single event opens at once."""
    text = request.query_params.get("q", "").strip()[:_LONGEST]
    if not text:
        return go("/events")
    found = await _found(desk, text)
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
    )


async def _found(desk: Desk, text: str) -> Sequence[Listed]:
    """By the text as it stands; else without the sign before a number, or with it: shops write 1042 and #1042 alike."""
    for wanted in dict.fromkeys((text, text.removeprefix("#"), f"#{text}")):
        if found := await desk.log().find(wanted, limit=MOST_FOUND):
            return found
    return ()


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
    text = query.get("q", "").strip()[:_LONGEST]
    stopped = running.get(person) != scan or not text
    values: dict[str, Any] = {"scan": scan, "text": text, "stopped": stopped, "names": desk.names, **_so_far(query)}
    if not stopped:
        values |= await _slice(desk, text, query, values)
    if values["next"] is None:
        _end(running, person, scan)
    if is_inside(request):
        return Response(fragment("_events_scan.html", times=desk.times, **values), media_type="text/html")
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


def _so_far(query: Any) -> dict[str, Any]:
    """What the slices before have come to."""
    return {
        "looked": number_in(query.get("looked")) or 0,
        "hits": number_in(query.get("hits")) or 0,
        "done": None,
        "next": None,
        "lines": [],
    }


async def _slice(desk: Desk, text: str, query: Any, so_far: dict[str, Any]) -> dict[str, Any]:
    """Look on. `more` leads to the next slice by moments and numbers alone, so that the ends stay where they were."""
    since, until, low, high, before = (number_in(query.get(name)) for name in ("from", "to", "low", "high", "before"))
    if before is None:
        asked = desk.control.selectors({name: query[name].strip()[:40] for name in _TIMES if query.get(name, "").strip()})
        since, until = asked.since, desk.now() if asked.until is None else asked.until
        low, high = await desk.log().reach(Filter(since=since, until=until))
        before = high
    part = await desk.log().scan(text.encode(), Filter(since=since, until=until, tests=True), before=before)
    looked, hits = so_far["looked"] + part.looked, so_far["hits"] + len(part.found)
    following = part.next_before
    if hits >= MOST_IN_BODIES or (following is not None and following <= (low or 0)):
        following = None
    more = {
        "q": text,
        "from": since,
        "to": until,
        "low": low,
        "high": high,
        "before": following,
        "looked": looked,
        "hits": hits,
    }
    return {
        "lines": await lines_of(desk, part.found),
        "looked": looked,
        "hits": hits,
        "next": following,
        "done": _share(low or 0, high or 0, following),
        "more": {name: value for name, value in more.items() if value is not None},
    }


def _share(low: int, high: int, following: int | None) -> int:
    """How much is looked through, in percent; 100 only at the end."""
    if following is None or high <= low:
        return 100
    return max(0, min(99, 100 * (high - following) // (high - low)))


def _running(request: CallerRequest) -> dict[str, str]:
    """The search of each person, by name."""
    state = request.app.state
    if "scans" not in state:
        state["scans"] = {}
    found: dict[str, str] = state["scans"]
    return found

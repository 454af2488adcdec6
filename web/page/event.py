"""One event: its road, its deliveries, what was sent, and what may be done; beside the list or as a page of its own."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from store.log import Timeline
from touchpoints.event import Event, Verdict
from touchpoints.problem import problem
from touchpoints.provider import provider
from touchpoints.touchpoint import Destination, HttpDestination
from touchpoints.verification import needs_secret
from web.api.desk import AtDesk, CallerRequest, Desk
from web.api.event_shape import event_shown
from web.api.problems import NotFound
from web.page.body_view import WAYS, BodyView, view_body
from web.page.diagnosis_view import diagnosed
from web.page.event_view import DEEDS, reason_of, road, sentence, state_of
from web.page.filters import renamed
from web.page.provider_words import secret_label, secret_shape
from web.page.render import fragment, is_inside, show

SHOWN_AT_ONCE = 64 * 1024  # larger bodies are shown when asked for


@get("/events/{event_id:str}", include_in_schema=False)
async def event_page(event_id: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template | Response[str]:
    """By the id of the event or of one of its deliveries."""
    values = await event_values(desk, event_id)
    if is_inside(request):
        html = fragment("_event.html", beside=True, times=desk.times, **values)
        return Response(html, media_type="text/html", headers=renamed(request, values["id"]))
    return show(request, desk, "event.html", section="events", beside=False, **values)


@get("/events/{event_id:str}/body", include_in_schema=False)
async def body_page(event_id: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template | Response[str]:
    """The body, `as` pretty, raw or hex: always as text in a page of ours."""
    body = await desk.log().body(event_id)
    if body is None:
        raise NotFound(problem("no_such_body", id=ascii(event_id[:60])[1:-1]))
    way = request.query_params.get("as", "")
    view = await asyncio.to_thread(view_body, body, way if way in WAYS else "")
    values: dict[str, Any] = {"id": event_id, "view": view, "ways": WAYS, "bytes": len(body)}
    if is_inside(request):
        return Response(fragment("_event_body.html", **values), media_type="text/html")
    return show(request, desk, "event_body.html", section="events", **values)


async def event_values(desk: Desk, event_id: str) -> dict[str, Any]:
    """What an event's templates show. Raises NotFound."""
    log, names, times = desk.log(), desk.names, desk.times
    timeline = await log.timeline(event_id[:100])
    if timeline is None:
        raise NotFound(problem("no_such_event", id=ascii(event_id[:60])[1:-1]))
    event = timeline.listed.event
    body = await log.body(event.id) if event.body_bytes <= SHOWN_AT_ONCE else None
    shown = event_shown(timeline, None, desk.control.configuration())
    return {
        "event": event,
        "listed": timeline.listed,
        "id": event.id,
        "state_now": state_of(timeline.listed),
        "touchpoint": names.touchpoint(event.touchpoint),
        "provider": names.provider(event.touchpoint),
        "target": shown["target"],
        "headers": shown["headers"],
        "why": reason_of(event.reason) if event.verdict is Verdict.REFUSED else None,
        "findings": await diagnosed(desk, event),
        "trial": _trial(desk, event),
        "tried": None,
        "duplicates": timeline.duplicates,
        "items": timeline.items,
        "road": road(timeline, names, times),
        "deliveries": _deliveries(desk, timeline),
        "deeds": event_deeds(timeline),
        "view": view_of(body),
        "ways": WAYS,
        "bytes": event.body_bytes,
        "large": event.body_bytes > SHOWN_AT_ONCE,
    }


def _trial(desk: Desk, event: Event) -> dict[str, Any] | None:
    """What the form for another secret needs, where the refused event's touchpoint is still there and has one."""
    found = next((one for one in desk.control.configuration().touchpoints if one.id == event.touchpoint), None)
    if found is None or event.verdict is not Verdict.REFUSED or not needs_secret(found.verification):
        return None
    preset = provider(found.provider)
    return {"label": secret_label(preset), "shape": secret_shape(preset), "has_secret": bool(found.secrets)}


def view_of(body: bytes | None) -> BodyView | None:
    """A small body in the way that fits it best."""
    return None if body is None else view_body(body)


def event_deeds(timeline: Timeline) -> tuple[str, ...]:
    """What may be done to the event itself; deliveries have their own."""
    listed = timeline.listed
    if listed.deliveries and listed.event.verdict is not Verdict.DUPLICATE:
        return ()
    if "dismissed" in listed.flags:
        return ("verify",)
    return DEEDS.get(listed.event.verdict.value, ())


def _deliveries(desk: Desk, timeline: Timeline) -> list[dict[str, Any]]:
    """Each delivery with its sentence, its address and its deeds, the last run first."""
    names, times = desk.names, desk.times
    known = {to.id: to for one in desk.control.configuration().touchpoints for to in one.destinations}
    made = []
    for one in sorted(timeline.listed.deliveries, key=lambda one: -one.run):
        own = [attempt for attempt in timeline.attempts if attempt.delivery_id == one.id]
        to = known.get(one.destination)
        made.append(
            {
                "delivery": one,
                "name": names.destination(one.destination),
                "words": sentence(one, own, names, times),
                "attempts": own,
                "target": _target(to),
                "deeds": [deed for deed in DEEDS[one.state.value] if to is not None or deed != "replay"],
            }
        )
    return made


def _target(to: Destination | None) -> str:
    """Where it goes, without what may hold a secret: user, query and fragment stay out."""
    if isinstance(to, HttpDestination):
        parts = urlsplit(to.url)
        return f"{to.method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return getattr(to, "path", "")

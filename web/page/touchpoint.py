"""One touchpoint: its road in one line, its boxes, a test, and a try on a stored event."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.inbox import StoreUnavailable
from store.log import Filter, Listed
from touchpoints.problem import Problem, ProblemError, catalogue, problem
from touchpoints.provider import provider
from web.api.desk import AtDesk, CallerRequest, Desk
from web.api.event_shape import preview_shown
from web.page.captured import captured_of
from web.page.change import touchpoint_of, written_touchpoint
from web.page.endpoints import can_rotate, endpoints_of
from web.page.entry import entries
from web.page.event_types import type_marks
from web.page.render import fragment, go, show
from web.page.selector_words import in_words
from web.page.sender_values import sender_values
from web.page.signin import Form
from web.page.ticks import ticks_of
from web.page.touchpoint_boxes import BOXES, FORM, defaults, fields
from web.page.words import t


async def touchpoint_screen(
    desk: Desk,
    request: CallerRequest,
    name: str,
    *,
    opened: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
    played: dict[str, Any] | None = None,
    tried: dict[str, Any] | None = None,
) -> Template:
    """The screen. `opened` is the box that stands open, and the one that `given` and `errors` belong to."""
    touchpoint, stored = touchpoint_of(desk, name), await written_touchpoint(desk, name)
    preset, sources = provider(stored["provider"]), await desk.control.secret_sources()
    boxes = {
        box: entries(
            fields(box, preset),
            stored,
            form=FORM,
            words="touchpoints.field",
            defaults=defaults(preset.name),
            given=given if box == opened else None,
            errors=errors if box == opened else None,
            sources=sources,
        )
        for box in BOXES
    }
    line = next(one for one in (await desk.control.touchpoints())["touchpoints"] if one["name"] == name)
    wrong = bool(errors or problems)
    return show(
        request,
        desk,
        "touchpoint.html",
        section="touchpoints",
        status=422 if wrong else 200,
        touchpoint=touchpoint,
        line=line,
        endpoints=endpoints_of(desk, line),
        rotates=can_rotate(desk, touchpoint.id),
        label=preset.label,
        captured=captured_of(desk, name),
        types=type_marks(preset, given or {}, touchpoint.events, answered=given is not None and opened == "events"),
        **sender_values(preset),
        secrets=[
            (one.removeprefix("stored:"), sources.get(one.removeprefix("stored:"), "")) for one in stored.get("secrets", [])
        ],
        boxes=boxes,
        repeats=in_words(touchpoint.dedup.key),
        opened=opened,
        problems=problems,
        played=played,
        tried=tried,
        why=reason_of((played or tried or {}).get("reason", "")),
        **await _seen(desk, touchpoint.id),
    )


async def _seen(desk: Desk, number: int) -> dict[str, Any]:
    """What the log has of it: ticks and the latest events; nothing while the events file is in trouble."""
    try:
        latest: Sequence[Listed] = await desk.log().events(Filter(touchpoint=number, tests=True), limit=20)
        return {"ticks": (await ticks_of(desk, [number]))[number], "latest": latest}
    except StoreUnavailable:
        return {"ticks": None, "latest": []}


def reason_of(code: str) -> Problem | None:
    """The words for a refusal, where they need no values."""
    words = catalogue().get(code)
    return None if words is None or "{" in words["text"] + words.get("mend", "") else problem(code)


@post("/touchpoints/{name:str}/test", include_in_schema=False)
async def test_it(name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template:
    """A test event, signed the provider's way; only `deliver`, which is named on its button, sends it on."""
    touchpoint, deliver = touchpoint_of(desk, name), data.get("deliver") == "on"
    try:
        played = await desk.control.test(name, None, headers={}, deliver=deliver, actor=request.user.actor)
    except ProblemError as error:
        return await touchpoint_screen(desk, request, name, opened="test", problems=error.problems)
    shown = {**preview_shown(played, touchpoint), "delivered": deliver}
    return await touchpoint_screen(desk, request, name, opened="test", played=shown)


@get("/touchpoints/{name:str}/try", include_in_schema=False)
async def try_it(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """What the touchpoint, as it is set now, would make of a stored event. Nothing is sent or kept."""
    touchpoint, event = touchpoint_of(desk, name), request.query_params.get("event", "").strip()[:100]
    tried = await desk.control.trial(name, event) if event else None
    if tried is None:
        missing = [problem("trial_event_unknown")] if event else []
        return await touchpoint_screen(desk, request, name, opened="try", problems=missing)
    return await touchpoint_screen(
        desk, request, name, opened="try", tried=preview_shown({**tried, "event": event}, touchpoint)
    )


@get("/touchpoints/{name:str}/endpoints", include_in_schema=False)
async def endpoint_urls(name: FromPath[str], desk: AtDesk) -> Response[str]:
    """Its endpoint URLs as a piece of a screen; asked again while the one at the proxy is still to come."""
    touchpoint = touchpoint_of(desk, name)
    line = next(one for one in (await desk.control.touchpoints())["touchpoints"] if one["name"] == touchpoint.name)
    html = fragment("_endpoints.html", times=desk.times, name=touchpoint.name, endpoints=endpoints_of(desk, line))
    return Response(html, media_type="text/html")


@post("/touchpoints/{name:str}/rotate", include_in_schema=False)
async def rotate(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """A new URL at the proxy; the old one is answered for a while."""
    touchpoint = touchpoint_of(desk, name)
    try:
        await desk.membership.rotate(touchpoint.name, actor=request.user.name)
    except ProblemError as error:
        return await touchpoint_screen(desk, request, name, opened="url", problems=error.problems)
    return go(f"/touchpoints/{touchpoint.name}", said=t("proxy.rotate.done"))


TOUCHPOINT_HANDLERS: list[ControllerRouterHandler] = [endpoint_urls, rotate, test_it, try_it]

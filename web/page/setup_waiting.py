"""The wait for the first event: what to do in the sender's settings, the secret, a test, and why an event was refused."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.log import Filter
from touchpoints.event import Event, Verdict
from touchpoints.problem import Problem, ProblemError
from touchpoints.provider import providers
from touchpoints.sign import sample
from touchpoints.signer import can_sign
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import needs_secret
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.body_view import seen
from web.page.captured import captured_of
from web.page.change import touchpoint_of
from web.page.diagnosis_view import diagnosed
from web.page.endpoints import endpoints_of
from web.page.event_view import reason_of
from web.page.render import fragment, is_inside, show
from web.page.secret_trial import Tried, onward, run_what_fits, save_secret, try_secret
from web.page.sender_values import sender_values
from web.page.signin import Form
from web.page.touchpoint import reason_of as plain_reason


@get("/begin/touchpoint/{name:str}", include_in_schema=False)
async def waiting_page(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """Its endpoint URL, a test, and whether the first event has come."""
    return await _wait(request, desk, touchpoint_of(desk, name))


@post("/begin/touchpoint/{name:str}/test", include_in_schema=False)
async def play_test(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """A test event, signed the provider's way; it stops before the outbox."""
    touchpoint = touchpoint_of(desk, name)
    try:
        played = await desk.control.test(touchpoint.name, None, headers={}, deliver=False, actor=request.user.actor)
    except ProblemError as error:  # without a secret nothing is signed, and some senders only sign themselves
        return await _wait(request, desk, touchpoint, unplayed=error.problems)
    return await _wait(request, desk, touchpoint, played=played)


@get("/begin/touchpoint/{name:str}/first", include_in_schema=False)
async def first_event(name: FromPath[str], desk: AtDesk) -> Response[str]:
    """The part of the page that waits; asked again each second until the event is there."""
    touchpoint = touchpoint_of(desk, name)
    html = fragment("_setup_first.html", name=touchpoint.name, times=desk.times, **await _first(desk, touchpoint))
    return Response(html, media_type="text/html")


@post("/begin/touchpoint/{name:str}/secret", include_in_schema=False)
async def enter_secret(
    name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest
) -> Template | Response[str] | Redirect:
    """Try a secret on the latest refused event, or keep it and run what fits."""
    touchpoint, secret = touchpoint_of(desk, name), data.get("secret", "").strip()
    event = (await _first(desk, touchpoint, look=False))["refused"]
    back = f"/begin/touchpoint/{touchpoint.name}"
    if data.get("deed") == "save" and secret:
        problems = await save_secret(desk, request, touchpoint, secret, alone=data.get("alone") == "on")
        if not problems:
            return onward(touchpoint, *await run_what_fits(desk, request, touchpoint, event), back)
        tried = Tried(fits=None, problems=tuple(problems))
    else:
        tried = await try_secret(desk, touchpoint, event, secret)
    if is_inside(request):
        return Response(fragment("_secret_tried.html", tried=tried, times=desk.times), media_type="text/html")
    return await _wait(request, desk, touchpoint, tried=tried)


async def _first(desk: Desk, touchpoint: Touchpoint, *, look: bool = True) -> dict[str, Any]:
    """The latest event that is no test: `arrived`, or `refused` and why."""
    latest = list(await desk.log().events(Filter(touchpoint=touchpoint.id), limit=1))
    one: Event | None = latest[0].event if latest else None
    knock = _knock(desk, touchpoint, one.received_at if one else 0)
    if one is None or one.verdict is not Verdict.REFUSED:
        return {"arrived": one, "refused": None, "why": None, "findings": [], "knock": knock}
    findings: list[Problem] = await diagnosed(desk, one) if look else []
    return {"arrived": None, "refused": one, "why": reason_of(one.reason), "findings": findings, "knock": knock}


def _knock(desk: Desk, touchpoint: Touchpoint, after: int) -> dict[str, Any] | None:
    """What came last and is stored nowhere, if nothing came since: which words tell it, and their values."""
    one = desk.control.knock(touchpoint.id)
    if one is None or one["at"] < after:
        return None
    word = "method" if one["status"] == 405 else "answered" if one["status"] < 300 else "turned_down"
    return {**one, "word": word, "method": seen(one["method"]), "methods": ", ".join(touchpoint.methods)}


async def _wait(
    request: CallerRequest,
    desk: Desk,
    touchpoint: Touchpoint,
    *,
    played: dict[str, Any] | None = None,
    unplayed: Sequence[Problem] = (),
    tried: Tried | None = None,
) -> Template:
    listed = (await desk.control.touchpoints())["touchpoints"]
    line = next(one for one in listed if one["name"] == touchpoint.name)
    return show(
        request,
        desk,
        "setup_waiting.html",
        status=422 if unplayed or (tried and tried.problems) else 200,
        section="touchpoints",
        name=touchpoint.name,
        label=providers()[touchpoint.provider].label,
        endpoints=endpoints_of(desk, line),
        state=touchpoint.state.value,
        captured=captured_of(desk, touchpoint.name),
        wants_secret=needs_secret(touchpoint.verification),
        has_secret=bool(touchpoint.secrets),
        signable=can_sign(touchpoint, sample(touchpoint)),
        played=played,
        unplayed=unplayed,
        played_why=plain_reason(played["reason"]) if played else None,
        tried=tried,
        **sender_values(providers()[touchpoint.provider]),
        **await _first(desk, touchpoint),
    )


WAITING_HANDLERS: list[ControllerRouterHandler] = [waiting_page, play_test, first_event, enter_secret]

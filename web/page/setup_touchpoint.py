"""Setting up, step three: the first touchpoint, its endpoint URL, a test, and the wait for the first event."""

import sys
from pathlib import Path
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.configuration import Actor
from store.log import Filter, Listed
from touchpoints.event import Verdict
from touchpoints.problem import Problem, ProblemError, catalogue, problem
from touchpoints.provider import providers
from touchpoints.touchpoint import Touchpoint
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.endpoints import endpoints_of
from web.page.password import confirmed
from web.page.render import fragment, go, show
from web.page.signin import Form

_PLAIN = ("name", "provider", "scheme", "header", "kind", "url", "path")
_EXAMPLE = r"C:\ERP\in" if sys.platform == "win32" else "/srv/erp/in"


@get("/begin/touchpoint", include_in_schema=False)
async def touchpoint_page(desk: AtDesk, request: CallerRequest) -> Template:
    """The form: who sends, its secret, where it goes."""
    return _form(request, desk, {})


@post("/begin/touchpoint", include_in_schema=False)
async def add_first(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Add it; with a folder, by the password as well."""
    try:
        problems = await _add(data, desk, request)
    except ProblemError as error:
        problems = list(error.problems)
    return _form(request, desk, data, problems) if problems else go(f"/begin/touchpoint/{data['name'].strip()}")


@get("/begin/touchpoint/{name:str}", include_in_schema=False)
async def waiting_page(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """Its endpoint URL, a test, and whether the first event has come."""
    return await _wait(request, desk, _touchpoint(desk, name))


@post("/begin/touchpoint/{name:str}/test", include_in_schema=False)
async def test_it(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """A test event, signed the provider's way; it stops before the outbox."""
    touchpoint = _touchpoint(desk, name)
    played = await desk.control.test(touchpoint.name, None, headers={}, deliver=False, actor=request.user.actor)
    return await _wait(request, desk, touchpoint, played=played)


@get("/begin/touchpoint/{name:str}/first", include_in_schema=False)
async def first_event(name: FromPath[str], desk: AtDesk) -> Response[str]:
    """The part of the page that waits; asked again each second until the event is there."""
    touchpoint = _touchpoint(desk, name)
    html = fragment("_setup_first.html", name=touchpoint.name, times=desk.times, **await _first(desk, touchpoint))
    return Response(html, media_type="text/html")


async def _add(data: dict[str, str], desk: Desk, request: CallerRequest) -> list[Problem]:
    name = data.get("name", "").strip()
    if any(name in (one.name, *one.aliases) for one in desk.control.configuration().touchpoints):
        return [problem("setup_touchpoint_taken", path="name", name=ascii(name[:64])[1:-1])]
    actor: Actor = request.user.actor
    if data.get("kind") == "folder":
        if not Path(data.get("path", "").strip()).is_absolute():
            return [problem("setup_folder_relative", path="path", example=_EXAMPLE)]
        actor = await confirmed(desk, request, data.get("password", ""))
    applied = await desk.control.apply(
        {"touchpoint": [_document(data)]}, base="", digest="", prune=False, dry_run=False, actor=actor
    )
    return list(applied.problems)


def _document(data: dict[str, str]) -> dict[str, Any]:
    secret = data.get("secret", "").strip()
    to = (
        {"kind": "folder", "path": data.get("path", "").strip()}
        if data.get("kind") == "folder"
        else {"kind": "http", "url": data.get("url", "").strip()}
    )
    made: dict[str, Any] = {
        "name": data.get("name", "").strip(),
        "provider": data.get("provider", ""),
        "secrets": [secret] if secret else [],
        "destination": [to],
    }
    if made["provider"] == "generic":
        made["verify"] = _verify(data)
    return made


def _verify(data: dict[str, str]) -> dict[str, Any]:
    """How a generic sender is proved: the two common ways, or not at all; the rest is set in the touchpoint's own form."""
    scheme, header = data.get("scheme", "hmac"), data.get("header", "").strip()
    if scheme == "none":
        return {"scheme": "none", "allow_unsigned": True}
    return {"scheme": scheme, "header": header}


def _touchpoint(desk: Desk, name: str) -> Touchpoint:
    found = next((one for one in desk.control.configuration().touchpoints if one.name == name), None)
    if found is None:
        raise NotFoundException
    return found


async def _first(desk: Desk, touchpoint: Touchpoint) -> dict[str, Any]:
    """The latest event that is no test: `arrived`, or `refused` and why."""
    latest: list[Listed] = list(await desk.log().events(Filter(touchpoint=touchpoint.id), limit=1))
    one = latest[0].event if latest else None
    refused = one is not None and one.verdict is Verdict.REFUSED
    return {"arrived": None if refused else one, "refused": one if refused else None, "why": _why(one.reason if one else "")}


def _why(reason: str) -> Problem | None:
    words = catalogue().get(reason)
    if words is None or "{" in words["text"] + words.get("mend", ""):
        return None
    return problem(reason)


async def _wait(
    request: CallerRequest, desk: Desk, touchpoint: Touchpoint, *, played: dict[str, Any] | None = None
) -> Template:
    listed = (await desk.control.touchpoints())["touchpoints"]
    line = next(one for one in listed if one["name"] == touchpoint.name)
    return show(
        request,
        desk,
        "setup_waiting.html",
        section="touchpoints",
        name=touchpoint.name,
        label=providers()[touchpoint.provider].label,
        endpoints=endpoints_of(desk, line),
        state=touchpoint.state.value,
        played=played,
        played_why=_why(played["reason"]) if played else None,
        **await _first(desk, touchpoint),
    )


def _form(request: CallerRequest, desk: Desk, data: dict[str, str], problems: list[Problem] | None = None) -> Template:
    return show(
        request,
        desk,
        "setup_touchpoint.html",
        status=422 if problems else 200,
        section="touchpoints",
        first=not desk.control.configuration().touchpoints,
        providers=[(one.name, one.label) for one in providers().values()],
        given={key: data.get(key, "") for key in _PLAIN},
        example=_EXAMPLE,
        problems=problems or [],
    )


TOUCHPOINT_STEP_HANDLERS: list[ControllerRouterHandler] = [touchpoint_page, add_first, waiting_page, test_it, first_event]

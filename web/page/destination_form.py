"""A destination's form: where a touchpoint's events go, and how."""

from collections.abc import Mapping, Sequence

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.configuration import Actor
from store.inbox import StoreUnavailable
from touchpoints.definition_destination import AUTH_KEYS, AUTH_SECRETS, KINDS
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.touchpoint import Touchpoint
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.change import change, named, touchpoint_of, written_touchpoint
from web.page.entry import Json, Place, changes, entries, placed, places
from web.page.password import confirmed
from web.page.render import go, show
from web.page.signin import Form
from web.page.words import t

FORM = "destination"


def fields(kind: str, *, new: bool) -> dict[str, Place]:
    """The settings of a kind; a name is chosen once. Raises NotFoundException for an unknown kind."""
    if kind not in KINDS:
        raise NotFoundException
    return {path: place for path, place in places(KINDS[kind]).items() if path != "kind" and (new or path != "name")}


@get("/touchpoints/{name:str}/add/{kind:str}", include_in_schema=False)
async def new_destination(name: FromPath[str], kind: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """The form of a new one."""
    return await _form(desk, request, name, kind, {}, new=True)


@post("/touchpoints/{name:str}/add/{kind:str}", include_in_schema=False)
async def add_destination(
    name: FromPath[str], kind: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest
) -> Template | Redirect:
    """Add it."""
    called = data.get("destination.name", "").strip() or kind
    stored = await written_touchpoint(desk, name)
    if any(one["name"] == called for one in stored.get("destination", [])):
        taken = [problem("destination_taken", path=f"touchpoint.{name}.destination.{called}.name")]
        return await _form(desk, request, name, kind, {}, new=True, given=data, called=called, problems=taken)
    return await _save(desk, request, name, kind, {}, data, new=True, called=called)


@get("/touchpoints/{name:str}/to/{called:str}", include_in_schema=False)
async def destination_page(name: FromPath[str], called: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """The form of one that is there."""
    stored = named((await written_touchpoint(desk, name)).get("destination", []), called)
    return await _form(desk, request, name, stored["kind"], stored, called=called)


@post("/touchpoints/{name:str}/to/{called:str}", include_in_schema=False)
async def save_destination(
    name: FromPath[str], called: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest
) -> Template | Redirect:
    """Save what the form changes."""
    stored = named((await written_touchpoint(desk, name)).get("destination", []), called)
    return await _save(desk, request, name, stored["kind"], stored, data, new=False, called=called)


@post("/touchpoints/{name:str}/to/{called:str}/remove", include_in_schema=False)
async def remove_destination(
    name: FromPath[str], called: FromPath[str], desk: AtDesk, request: CallerRequest
) -> Template | Redirect:
    """Remove it and nothing else; refused while something waits for it."""
    stored = named((await written_touchpoint(desk, name)).get("destination", []), called)
    applied = await desk.control.remove(name, destination=called, actor=request.user.actor)
    if applied.problems:
        return await _form(desk, request, name, stored["kind"], stored, called=called, problems=applied.problems)
    return go(f"/touchpoints/{name}", said=t("touchpoints.to.removed", name=called))


async def _save(
    desk: Desk, request: CallerRequest, name: str, kind: str, stored: Json, data: Mapping[str, str], *, new: bool, called: str
) -> Template | Redirect:
    changed = changes(fields(kind, new=new), stored, data, form=FORM)
    _fit_auth(changed, stored)
    document = {"touchpoint": [{"name": name, "destination": [{**changed, "name": called, "kind": kind}]}]}
    try:
        actor = await _who(desk, request, changed, data)
        problems: Sequence[Problem] = await change(desk, request, document, actor=actor)
    except ProblemError as error:
        problems = error.problems
    if problems:
        return await _form(desk, request, name, kind, stored, new=new, given=data, called=called, problems=problems)
    return go(f"/touchpoints/{name}", said=t("touchpoints.to.saved", name=called))


async def _who(desk: Desk, request: CallerRequest, changed: Json, data: Mapping[str, str]) -> Actor | None:
    """Who names a folder types the password again. Raises ProblemError."""
    return await confirmed(desk, request, data.get("password", "")) if changed.get("path") else None


def _fit_auth(changed: Json, stored: Json) -> None:
    """Only what fits the type of auth; a secret of the same type that was left out is kept."""
    before = stored.get("auth", {}).get("type", "none")
    auth = changed.get("auth", {})
    kind = auth.get("type", before)
    fitting = {"type", *AUTH_KEYS.get(kind, ()), AUTH_SECRETS.get(kind, "type")}
    kept = {key: value for key, value in auth.items() if key in fitting}
    if kept:
        changed["auth"] = {"type": kind, **kept}
    else:
        changed.pop("auth", None)


async def _undelivered(desk: Desk, touchpoint: Touchpoint, called: str) -> int:
    """How many deliveries are for it and not settled; none while the events file cannot be read."""
    number = next((one.id for one in touchpoint.destinations if one.name == called), 0)
    try:
        found = (await desk.log().destinations()).get(number)
    except StoreUnavailable:
        return 0
    return found.pending + found.held + found.given_up if found else 0


async def _form(
    desk: Desk,
    request: CallerRequest,
    name: str,
    kind: str,
    stored: Json,
    *,
    new: bool = False,
    given: Mapping[str, str] | None = None,
    called: str = "",
    problems: Sequence[Problem] = (),
) -> Template:
    touchpoint = touchpoint_of(desk, name)
    group = fields(kind, new=new)
    errors, others = placed(problems, group, f"touchpoint.{name}.destination.{called}")
    return show(
        request,
        desk,
        "touchpoint_destination.html",
        section="touchpoints",
        status=422 if problems else 200,
        name=name,
        kind=kind,
        called=called,
        new=new,
        undelivered=0 if new else await _undelivered(desk, touchpoint, called),
        entries=entries(
            group,
            stored,
            form=FORM,
            words="touchpoints.to",
            given=given,
            errors=errors,
            sources=await desk.control.secret_sources(),
        ),
        problems=[one for one in others if one.path != "password"],
        password_problem=next((one for one in others if one.path == "password"), None),
    )


DESTINATION_HANDLERS: list[ControllerRouterHandler] = [
    new_destination,
    add_destination,
    destination_page,
    save_destination,
    remove_destination,
]

"""One organisation: what waits, its agents, codes, quota, export, and its end."""

from collections.abc import Sequence

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Stream, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.size import format_size, parse_size
from web.guard import SAME_ORIGIN
from web.operator.api import export_answer
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.operator.view import FreshCode, OrganisationView
from web.page.render import go, show
from web.page.signin import Form
from web.page.words import t

_MIB = 1024 * 1024


@get("/organisations/{name:str}", include_in_schema=False)
async def organisation_page(name: FromPath[str], desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Everything of one."""
    return await screen(desk, request, name)


@post("/organisations/{name:str}/code", include_in_schema=False)
async def make_code(name: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """A further pairing code; its value stands in this answer and never again."""
    await _there(desk, name)
    try:
        fresh = await desk.control.code(name, replaces=data.get("replaces", ""), actor=request.user.actor)
    except ProblemError as error:
        return await screen(desk, request, name, problems=error.problems)
    return await screen(desk, request, name, fresh=fresh)


@post("/organisations/{name:str}/revoke", include_in_schema=False)
async def revoke(name: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """An agent's key opens nothing from now on."""
    await _there(desk, name)
    try:
        gone = await desk.control.revoke(name, data.get("agent", ""), actor=request.user.actor)
    except ProblemError as error:
        return await screen(desk, request, name, problems=error.problems)
    return go(f"/organisations/{name}", said=t("operator.agent.revoked", agent=gone))


@post("/organisations/{name:str}/take-over", include_in_schema=False)
async def take_over(name: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Queue again what an agent took and did not settle."""
    await _there(desk, name)
    try:
        count = await desk.control.take_over(name, data.get("agent", ""), actor=request.user.actor)
    except ProblemError as error:
        return await screen(desk, request, name, problems=error.problems)
    return go(f"/organisations/{name}", said=t("operator.agent.taken_over", n=count))


@post("/organisations/{name:str}/quota", include_in_schema=False)
async def set_quota(name: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Another quota; an empty field is the server's."""
    await _there(desk, name)
    events, size, wrong = read_quota(data)
    if wrong:
        return await screen(desk, request, name, problems=wrong, given=data)
    await desk.control.change(name, quota_events=events, quota_bytes=size, actor=request.user.actor)
    return go(f"/organisations/{name}", said=t("operator.quota.saved"))


@get("/organisations/{name:str}/export.jsonl", opt={SAME_ORIGIN: True}, include_in_schema=False)
async def export(name: FromPath[str], desk: AtOperatorDesk, request: CallerRequest) -> Stream:
    """Everything of it, as a file; the events stay sealed."""
    await _there(desk, name)
    await desk.write_down(request.user, "organisation.export", name)
    return export_answer(name, desk.control.export(name))


@post("/organisations/{name:str}/remove", include_in_schema=False)
async def remove(name: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Erase it, once its name was typed."""
    await _there(desk, name)
    if data.get("typed", "").strip() != name:
        return await screen(desk, request, name, problems=[problem("name_not_typed", name=name)])
    count = await desk.control.remove(name, actor=request.user.actor)
    return go("/", said=t("operator.remove.done", name=name, n=count))


async def screen(
    desk: OperatorDesk,
    request: CallerRequest,
    name: str,
    *,
    problems: Sequence[Problem] = (),
    fresh: FreshCode | None = None,
    given: dict[str, str] | None = None,
) -> Template:
    """The organisation's screen."""
    one = await _there(desk, name)
    return show(
        request,
        desk,
        "organisation.html",
        section="home",
        status=422 if problems else 200,
        one=one,
        agents=[agent for agent in one.agents if agent.state != "revoked"],
        gone=[agent for agent in one.agents if agent.state == "revoked"],
        problems=problems,
        fresh=fresh,
        events=given.get("quota_events", "") if given is not None else "" if one.own_events is None else str(one.own_events),
        size=given.get("quota_bytes", "") if given is not None else "" if one.own_bytes is None else format_size(one.own_bytes),
    )


def read_quota(data: dict[str, str]) -> tuple[int | None, int | None, list[Problem]]:
    """(events, bytes) of a form; empty fields are None, the server's."""
    wrong: list[Problem] = []
    events, text = None, data.get("quota_events", "").replace(",", "").strip()
    if text:
        good = text.isascii() and text.isdigit() and len(text) <= 12 and int(text) >= 1
        events = int(text) if good else None
        wrong += [] if good else [problem("quota_events_invalid", path="quota_events")]
    size, text = None, data.get("quota_bytes", "").strip()
    if text:
        try:
            size = parse_size(text)
        except ValueError:
            size = 0
        if size < _MIB:
            wrong.append(problem("quota_bytes_invalid", path="quota_bytes"))
    return events, size, wrong


async def _there(desk: OperatorDesk, name: str) -> OrganisationView:
    try:
        return await desk.control.organisation(name)
    except ProblemError:
        raise NotFoundException from None


ORGANISATION_HANDLERS: list[ControllerRouterHandler] = [
    organisation_page,
    make_code,
    revoke,
    take_over,
    set_quota,
    export,
    remove,
]

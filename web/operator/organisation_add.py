"""Adding an organisation: its proxy domain, and at once its first pairing code."""

from collections.abc import Sequence

from litestar import get, post
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem, ProblemError
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.operator.organisation import read_quota, screen
from web.page.render import show
from web.page.signin import Form


@get("/add-organisation", include_in_schema=False)
async def add_page(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """The form."""
    return await _form(desk, request, {})


@post("/add-organisation", include_in_schema=False)
async def add(data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Add it, and show the code: it stands in this answer and never again."""
    name = data.get("name", "").strip()
    events, size, wrong = read_quota(data)
    if wrong:
        return await _form(desk, request, data, wrong)
    try:
        fresh = await desk.control.add(name, quota_events=events, quota_bytes=size, actor=request.user.actor)
    except ProblemError as error:
        return await _form(desk, request, data, error.problems)
    return await screen(desk, request, name, fresh=fresh)


async def _form(
    desk: OperatorDesk, request: CallerRequest, given: dict[str, str], problems: Sequence[Problem] = ()
) -> Template:
    settings = desk.control.configuration().server
    return show(
        request,
        desk,
        "organisation_add.html",
        section="home",
        status=422 if problems else 200,
        first=not await desk.control.organisations(limit=1),
        name=given.get("name", ""),
        events=given.get("quota_events", ""),
        size=given.get("quota_bytes", ""),
        settings=settings,
        problems=problems,
    )


ADD_HANDLERS: list[ControllerRouterHandler] = [add_page, add]

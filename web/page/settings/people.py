"""People who may sign in, and tokens for programs."""

from collections.abc import Sequence

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.people import Scope
from touchpoints.problem import Problem, ProblemError, problem
from web.api.front_desk import AtFrontDesk, CallerRequest, FrontDesk
from web.api.tokens import make_token
from web.page.password import confirmed, hashed, name_problems, password_problem
from web.page.render import go
from web.page.settings.section import screen_of
from web.page.signin import Form
from web.page.words import t


@get("/settings/people", include_in_schema=False)
async def people_page(desk: AtFrontDesk, request: CallerRequest) -> Template:
    """Who may sign in, and which programs may ask."""
    return await _screen(desk, request)


@post("/settings/people/add", include_in_schema=False)
async def add_person(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Add a person; by one's own password."""
    name, password = data.get("name", "").strip(), data.get("password", "")
    wrong = name_problems(name)
    if name in await desk.people.persons():
        wrong = [problem("person_taken")]
    if weak := password_problem(password, name):
        wrong.append(weak)
    if wrong or (wrong := await _unproved(desk, request, data)):
        return await _screen(desk, request, problems=wrong)
    await desk.people.set_password(name, await hashed(password), now=desk.now())
    await desk.write_down(request.user, "person.add", name)
    return go("/settings/people", said=t("settings.people.added", name=name))


@post("/settings/people/remove", include_in_schema=False)
async def remove_person(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Remove a person, who is signed out everywhere; the last one stays."""
    name = data.get("name", "")
    if wrong := await _unproved(desk, request, data):
        return await _screen(desk, request, problems=wrong)
    if not await desk.people.remove_person(name):
        return await _screen(desk, request, problems=[problem("person_stays")])
    await desk.write_down(request.user, "person.remove", name)
    return go("/settings/people", said=t("settings.people.removed", name=name))


@post("/settings/tokens/add", include_in_schema=False)
async def add_token(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Make a token, by one's own password; its value stands in this answer and never again."""
    name, scope = data.get("name", "").strip(), data.get("scope", "")
    if scope not in {*Scope}:
        return await _screen(desk, request, problems=[problem("token_name_invalid")])
    if wrong := await _unproved(desk, request, data):  # a token outlives the session that made it
        return await _screen(desk, request, problems=wrong)
    try:
        value = await make_token(desk, request.user, name, Scope(scope))
    except ProblemError as error:
        return await _screen(desk, request, problems=error.problems)
    return await _screen(desk, request, fresh=value, fresh_name=name)


@post("/settings/tokens/revoke", include_in_schema=False)
async def revoke_token(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Redirect:
    """From now on it opens nothing."""
    name = data.get("name", "")
    if await desk.people.revoke_token(name):
        await desk.write_down(request.user, "tokens.revoke", name)
    return go("/settings/people", said=t("settings.tokens.revoked", name=name))


async def _unproved(desk: FrontDesk, request: CallerRequest, data: dict[str, str]) -> list[Problem]:
    try:
        await confirmed(desk, request, data.get("own", ""))
    except ProblemError as error:
        return list(error.problems)
    return []


async def _screen(
    desk: FrontDesk, request: CallerRequest, *, problems: Sequence[Problem] = (), fresh: str = "", fresh_name: str = ""
) -> Template:
    return screen_of(
        request,
        desk,
        "people",
        status=422 if problems else 200,
        persons=await desk.people.persons(),
        tokens=await desk.people.tokens(),
        problems=problems,
        fresh=fresh,
        fresh_name=fresh_name,
    )


PEOPLE_HANDLERS: list[ControllerRouterHandler] = [people_page, add_person, remove_person, add_token, revoke_token]

"""Setting up, step one: a password, by the one-time link; and the change of one, by whoever is signed in."""

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.people import AuditLine
from touchpoints.problem import Problem, ProblemError, problem
from web.api.front_desk import AtFrontDesk, CallerRequest, FrontDesk
from web.guard import OPEN
from web.guard_host import host_name, is_loopback
from web.page.limiter import subjects
from web.page.password import address_of, confirmed, hashed, name_problems, password_problem
from web.page.render import show
from web.page.session import begin
from web.page.signin import Form


@get("/setup/{token:str}", opt={OPEN: True}, include_in_schema=False)
async def setup_page(token: FromPath[str], desk: AtFrontDesk, request: CallerRequest) -> Template:
    """The form for the first password, or for a new one after `hookport admin reset`. Opening it spends nothing."""
    _must_open(desk, request, token)
    persons = await desk.people.persons()
    return _form(request, desk, name=persons[0] if persons else "admin", again=bool(persons))


@post("/setup/{token:str}", opt={OPEN: True}, include_in_schema=False)
async def set_up(token: FromPath[str], data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Save the password, which spends the link, and sign in."""
    _must_open(desk, request, token)
    again = bool(await desk.people.persons())
    name = data.get("name", "").strip()
    wrong = name_problems(name) + _new_password_problems(data, name)
    if wrong:
        return _form(request, desk, name=name, again=again, problems=wrong)
    kept = await hashed(data["password"])
    if not desk.link.spend(token):
        raise NotFoundException
    await desk.people.set_password(name, kept, now=desk.now())
    await desk.door.forgive(*subjects(name, address_of(request)))
    action = "person.password_reset" if again else "person.first"
    await desk.people.audit(AuditLine(at=desk.now(), actor=name, action=action, detail="by a one-time link"))
    return await begin(desk, request, name, "/" if again else desk.first_step)


@get("/begin/password", include_in_schema=False)
async def password_page(desk: AtFrontDesk, request: CallerRequest) -> Template:
    """The form for another password."""
    return _change_form(request, desk)


@post("/begin/password", include_in_schema=False)
async def change_password(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Change one's own password. All one's sessions end; this browser gets a new one."""
    name = request.user.name
    try:
        await confirmed(desk, request, data.get("current", ""))
    except ProblemError as error:
        return _change_form(request, desk, problems=list(error.problems))
    if wrong := _new_password_problems(data, name):
        return _change_form(request, desk, problems=wrong)
    await desk.people.set_password(name, await hashed(data["password"]), now=desk.now())
    await desk.write_down(request.user, "person.password", "all sessions ended")
    return await begin(desk, request, name, "/")


def _must_open(desk: FrontDesk, request: CallerRequest, token: str) -> None:
    """The link works on this machine alone; everything else finds nothing here."""
    host = host_name(request.headers.get("host", ""))
    if not (is_loopback(address_of(request)) and is_loopback(host) and desk.link.opens(token)):
        raise NotFoundException


def _new_password_problems(data: dict[str, str], name: str) -> list[Problem]:
    password = data.get("password", "")
    if wrong := password_problem(password, name):
        return [wrong]
    return [] if data.get("repeated") == password else [problem("password_not_repeated")]


def _form(
    request: CallerRequest, desk: FrontDesk, *, name: str, again: bool, problems: list[Problem] | None = None
) -> Template:
    return show(
        request,
        desk,
        "setup_password.html",
        status=422 if problems else 200,
        bare=True,
        name=name,
        again=again,
        change=False,
        problems=problems or [],
    )


def _change_form(request: CallerRequest, desk: FrontDesk, problems: list[Problem] | None = None) -> Template:
    return show(
        request,
        desk,
        "setup_password.html",
        status=422 if problems else 200,
        section="settings",
        bare=False,
        name=request.user.name,
        again=False,
        change=True,
        problems=problems or [],
    )


SETUP_HANDLERS: list[ControllerRouterHandler] = [setup_page, set_up, password_page, change_password]

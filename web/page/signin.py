"""Signing in and out. Works without scripts."""

from typing import Annotated

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.people import AuditLine
from touchpoints.problem import ProblemError
from web.api.front_desk import AtFrontDesk, CallerRequest, FrontDesk
from web.guard import OPEN
from web.guard_sign_in import SIGN_IN, safe_next
from web.page.password import address_of, prove
from web.page.render import go, show
from web.page.session import begin, end

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

_LONGEST_NAME = 64


@get(SIGN_IN, opt={OPEN: True}, include_in_schema=False)
async def sign_in_page(
    desk: AtFrontDesk, request: CallerRequest, onward: Annotated[str, QueryParameter(name="next")] = "/"
) -> Template | Redirect:
    """The form; who is signed in already is led on at once."""
    if signed_in(request):
        return go(safe_next(onward))
    return await _form(desk, request, onward=safe_next(onward))


@post(SIGN_IN, opt={OPEN: True}, include_in_schema=False)
async def sign_in(data: Form, desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Sign in, and go where the person wanted to."""
    name, onward = data.get("name", "").strip()[:_LONGEST_NAME], safe_next(data.get("next", "/"))
    address = address_of(request)
    try:
        await prove(desk, name, data.get("password", ""), address)
    except ProblemError as error:
        code = error.problems[0].code
        if code == "sign_in_wrong":
            await _note(desk, name, "person.sign_in_failed", address)
        status = 429 if code == "sign_in_wait" else 403
        return await _form(desk, request, onward=onward, name=name, error=error, status=status)
    await _note(desk, name, "person.sign_in", address)
    return await begin(desk, request, name, onward)


@get("/sign-out", opt={OPEN: True}, include_in_schema=False)
async def sign_out_page(desk: AtFrontDesk, request: CallerRequest) -> Template | Redirect:
    """Ask: a link must not sign anybody out."""
    return show(request, desk, "signout.html") if signed_in(request) else go(SIGN_IN)


@post("/sign-out", opt={OPEN: True}, include_in_schema=False)
async def sign_out(desk: AtFrontDesk, request: CallerRequest) -> Redirect:
    """End this session."""
    if signed_in(request):
        await _note(desk, request.user.name, "person.sign_out", address_of(request))
    return await end(desk, request, SIGN_IN)


def signed_in(request: CallerRequest) -> bool:
    """Whether somebody is; only handlers that are open to all need to ask."""
    return request.scope["user"] is not None


async def _form(
    desk: FrontDesk,
    request: CallerRequest,
    *,
    onward: str,
    name: str = "",
    error: ProblemError | None = None,
    status: int = 200,
) -> Template:
    persons = await desk.people.persons()
    return show(
        request,
        desk,
        "signin.html",
        status=status,
        bare=True,
        begun=bool(persons),
        onward=onward,
        name=name,
        problems=error.problems if error else (),
    )


async def _note(desk: FrontDesk, name: str, action: str, address: str) -> None:
    shown = ascii(name)[1:-1] or "nobody"
    await desk.people.audit(AuditLine(at=desk.now(), actor=shown, action=action, detail=f"from {address}"))


SIGN_IN_HANDLERS: list[ControllerRouterHandler] = [sign_in_page, sign_in, sign_out_page, sign_out]

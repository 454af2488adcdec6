"""Sessions: how one begins, how one ends. Its value is in the cookie alone; the store keeps a digest."""

from litestar.response import Redirect

from web.api.front_desk import CallerRequest, FrontDesk
from web.guard_session import cookie_name, no_session_cookie, session_cookie, session_values
from web.guard_token import token_digest
from web.page.render import go


async def begin(desk: FrontDesk, request: CallerRequest, person: str, to: str) -> Redirect:
    """Sign a person in by a value made now, whatever cookie the browser came with, and lead on."""
    await _forget(desk, request)
    value = desk.new_token()
    await desk.door.open_session(token_digest(value), person, now=desk.now())
    answer = go(to)
    answer.set_cookie(session_cookie(cookie_name(desk.instance()), value, secure=_secure(request)))
    return answer


async def end(desk: FrontDesk, request: CallerRequest, to: str) -> Redirect:
    """Sign out, and lead on."""
    await _forget(desk, request)
    answer = go(to)
    answer.set_cookie(no_session_cookie(cookie_name(desk.instance()), secure=_secure(request)))
    return answer


async def _forget(desk: FrontDesk, request: CallerRequest) -> None:
    for value in session_values(request.scope["headers"], cookie_name(desk.instance())):
        await desk.door.close_session(token_digest(value))


def _secure(request: CallerRequest) -> bool:
    return request.scope["scheme"] == "https"

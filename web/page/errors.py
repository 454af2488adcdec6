"""What went wrong, as a page that says what to do next. The API's answers keep their JSON."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import ExceptionHandlersMap, Receive, Scope, Send

from web.api import problems as api
from web.api.front_desk import FrontDesk
from web.guard import NotAllowed
from web.guard_headers import is_api
from web.guard_host import host_problem
from web.guard_session import living_session
from web.page.badge import badges
from web.page.render import is_inside, templates_of, theme_of

AnyRequest = Request[Any, Any, Any]
Handler = Callable[[AnyRequest, Any], Response[Any]]
Hosts = Callable[[], Collection[str]]  # `page.hosts` as configured now
_TOLD = {400, 401, 403, 404, 405, 409, 413, 422, 429, 503}
_SECTIONS = ("touchpoints", "events", "export", "settings")


def exception_handlers(desk: FrontDesk, hosts: Hosts) -> ExceptionHandlersMap:
    """Every exception's handler, for both halves of the local port."""
    return {error: _both(cast(Any, handler), desk, hosts) for error, handler in api.EXCEPTION_HANDLERS.items()}


def _both(handler: Handler, desk: FrontDesk, hosts: Hosts) -> Handler:
    def handle(request: AnyRequest, error: Any) -> Response[Any]:
        # An address that nobody answers to never comes by the gate: a stranger's name is refused here as well.
        why = host_problem(request.scope["headers"], hosts())
        answer = api.turned_away(NotAllowed(403, why)) if why else handler(request, error)
        return answer if is_api(request.scope["path"]) else _ErrorPage(desk, answer)

    return handle


class _ErrorPage(Response[Any]):
    """An answer told as a page. It is made when it is sent, for only then can be asked who is signed in."""

    def __init__(self, desk: FrontDesk, answer: Response[Any]) -> None:
        super().__init__(answer.content, status_code=answer.status_code, media_type="text/html")
        self._desk = desk

    def to_asgi_response(self, app: Litestar | None, request: AnyRequest, **around: Any) -> ASGIResponse:
        """See Response."""

        async def made(scope: Scope) -> ASGIResponse:
            page = _page(request, self.status_code or 500, self.content["problems"], self._desk, await self._person(scope))
            return page.to_asgi_response(app, request, **around)

        return _Late(made)

    async def _person(self, scope: Scope) -> str:
        """Who keeps the navigation. At an address that is not there nobody has asked for the session yet."""
        if "user" in scope or self.status_code not in (404, 405):
            return getattr(scope.get("user"), "name", "")
        desk = self._desk
        session = await living_session(desk.door, scope["headers"], desk.instance(), now=desk.now())
        return session.person if session else ""


class _Late(ASGIResponse):
    """An answer that is made when it is sent."""

    def __init__(self, made: Callable[[Scope], Awaitable[ASGIResponse]]) -> None:
        super().__init__()
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._made(scope))(scope, receive, send)


def _page(request: AnyRequest, status: int, problems: Any, desk: FrontDesk, person: str) -> Response[str]:
    first = request.scope["path"].split("/")[1]
    html = (
        templates_of(request)
        .get_template("_problems.html" if is_inside(request) else "error.html")
        .render(
            problems=problems,
            kind=str(status) if status in _TOLD else "500",
            section=first if first in _SECTIONS else "",
            vitals=desk.vitals(),
            badges=badges(desk.vitals(), desk.standing, desk.mode),
            theme=theme_of(request),
            said="",
            times=desk.times,
            person=person,
            request=request,
        )
    )
    return Response(
        html, status_code=status, media_type="text/html", headers={"hx-retarget": "#notices", "hx-reswap": "innerHTML"}
    )

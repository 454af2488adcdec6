"""What went wrong, as a page that says what to do next. The API's answers keep their JSON."""

from collections.abc import Callable
from typing import Any, cast

from litestar import Request, Response
from litestar.types import ExceptionHandlersMap

from web.api import problems as api
from web.api.front_desk import FrontDesk
from web.guard_headers import is_api
from web.page.render import is_inside, templates_of, theme_of

AnyRequest = Request[Any, Any, Any]
_TOLD = {400, 401, 403, 404, 405, 409, 413, 422, 429, 503}


def exception_handlers(desk: FrontDesk) -> ExceptionHandlersMap:
    """Every exception's handler, for both halves of the local port."""
    return {error: _both(cast(Any, handler), desk) for error, handler in api.EXCEPTION_HANDLERS.items()}


def _both(handler: Callable[[AnyRequest, Any], Response[Any]], desk: FrontDesk) -> Callable[[AnyRequest, Any], Response[Any]]:
    def handle(request: AnyRequest, error: Any) -> Response[Any]:
        answer = handler(request, error)
        return answer if is_api(request.url.path) else _as_page(request, answer, desk)

    return handle


def _as_page(request: AnyRequest, answer: Response[Any], desk: FrontDesk) -> Response[Any]:
    status = answer.status_code or 500
    kind = str(status) if status in _TOLD else "500"
    template = "_problems.html" if is_inside(request) else "error.html"
    html = (
        templates_of(request)
        .get_template(template)
        .render(
            problems=answer.content["problems"],
            kind=kind,
            section="",
            vitals=desk.vitals(),
            theme=theme_of(request),
            said="",
            now=desk.now(),
            person=getattr(request.scope.get("user"), "name", ""),
            request=request,
        )
    )
    return Response(
        html, status_code=status, media_type="text/html", headers={"hx-retarget": "#notices", "hx-reswap": "innerHTML"}
    )

"""How what went wrong is answered: always `{"problems": [...]}`, with a status that a program can act on."""

import logging
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from store.configuration import Applied
from store.inbox import StoreUnavailable
from touchpoints.problem import Problem, ProblemError, problem
from web.api.shapes import AppliedShape, Problems
from web.guard import NotAllowed

log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


class NotFound(ProblemError):
    """What was named is not there: 404."""


class Conflict(ProblemError):
    """What was to be made is already there: 409."""


class RefusedConfiguration(ProblemError):
    """A configuration that does not hold; nothing was changed: 422."""


REFUSALS = {
    status: ResponseSpec(Problems, description=description, generate_examples=False)
    for status, description in {
        400: "The request does not make sense.",
        401: "No token, or one that is not known.",
        403: "The token's scope is too small, or the Host header is not ours.",
        404: "What was named is not there.",
        409: "What was to be made is already there.",
        413: "The body is too large.",
        422: "The configuration does not hold; all its problems at once, and nothing was changed.",
        503: "The store cannot be used now.",
    }.items()
}


def applied_shape(applied: Applied, *, dry_run: bool) -> AppliedShape:
    """What an apply came to. Raises RefusedConfiguration with all its problems."""
    if applied.problems:
        raise RefusedConfiguration(*applied.problems)
    return {"dry_run": dry_run, "changes": [{"path": change.path, "what": change.what} for change in applied.changes]}


def _answer(status: int, problems: Sequence[Problem], headers: dict[str, str] | None = None) -> Response[Problems]:
    content: Problems = {
        "problems": [{"code": one.code, "text": one.text, "mend": one.mend, "path": one.path} for one in problems]
    }
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def turned_away(error: NotAllowed) -> Response[Problems]:
    """The answer to a caller who may not."""
    return _answer(error.status, error.problems, {"www-authenticate": "Bearer"} if error.status == 401 else None)


def _on_problem(_: AnyRequest, error: ProblemError) -> Response[Problems]:
    match error:
        case NotAllowed():
            return turned_away(error)
        case NotFound():
            return _answer(404, error.problems)
        case Conflict():
            return _answer(409, error.problems)
        case RefusedConfiguration():
            return _answer(422, error.problems)
    return _answer(400, error.problems)


def _on_store(_: AnyRequest, error: StoreUnavailable) -> Response[Problems]:
    try:
        why = error.why or problem(error.code)
    except KeyError:  # words that want values, which only the status has
        why = problem("store_unavailable")
    return _answer(503, [why], {"retry-after": str(error.retry_after)})


def _on_http(request: AnyRequest, error: HTTPException) -> Response[Problems]:
    match error.status_code:
        case 404:
            found = [problem("no_such_address", address=ascii(request.scope["path"][:200])[1:-1])]
        case 405:
            found = [problem("method_not_allowed", method=ascii(request.method[:20])[1:-1])]
        case 413:
            found = [problem("request_too_large")]
        case status if status < 500:
            found = _bad_request(error)
        case _:
            return _on_crash(request, error)
    return _answer(error.status_code, found, error.headers if error.status_code == 405 else None)


def _bad_request(error: HTTPException) -> list[Problem]:
    details = error.extra if isinstance(error.extra, list) else []
    named = [
        problem("bad_request", path=str(detail.get("key", "")), why=detail["message"])
        for detail in details
        if isinstance(detail, dict) and "message" in detail
    ]
    return named or [problem("bad_request", why=error.detail)]


def _on_depth(_: AnyRequest, __: RecursionError) -> Response[Problems]:
    return _answer(400, [problem("bad_request", why="it nests too deep")])


def _on_crash(request: AnyRequest, error: Exception) -> Response[Problems]:
    log.error("the API failed at %s %s", request.method, request.scope["path"], exc_info=error)
    return _answer(500, [problem("internal_error")])


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    ProblemError: _on_problem,
    StoreUnavailable: _on_store,
    HTTPException: _on_http,
    RecursionError: _on_depth,
    Exception: _on_crash,
}

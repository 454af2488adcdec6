"""The public ASGI app: endpoint URLs and health, nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote

from litestar import Litestar, Response, asgi
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from touchpoints.event import Headers
from touchpoints.handles import no_handle_left
from touchpoints.handshake import methods_of
from touchpoints.request import Request
from web.listener.body import BodyReader, NoRoom, SenderGone, TooLarge
from web.listener.connection import ACCEPT, CLIENT
from web.listener.endpoint import Endpoint
from web.listener.intake import Intake, Taken, intake, not_allowed, wrong_method
from web.listener.rate import Rate

PREFIX = b"/hooks/"

Handler = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

_log = logging.getLogger(__name__)
_HEALTHY = Taken(status=200, headers=((b"content-type", b"application/json"),), body=b'{"ok":true}')
_MIGRATING = replace(_HEALTHY, body=b'{"ok":true,"migrating":true}')  # all events are answered 503 meanwhile
UNKNOWN = Taken(status=404)  # also for a disabled touchpoint: a stranger cannot tell them apart
TOO_LARGE = Taken(status=413)
TOO_MANY = Taken(status=429, headers=((b"retry-after", b"1"),))
NO_ROOM = Taken(status=503, headers=((b"retry-after", b"5"),))
FAILED = Taken(status=500)


def make_app(deps: Intake) -> ASGIApp:
    """The app. Its one handler answers everything: Litestar's own routing and error bodies are never met by a sender."""
    rate = Rate()

    async def public(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_by(_answer(deps, rate, cast(HTTPScope, scope), receive), scope, send)

    return with_one_handler(public, straight=lambda path: path.startswith(PREFIX))


def with_one_handler(public: Handler, *, straight: Callable[[bytes], bool]) -> ASGIApp:
    """The app of one handler; paths that are `straight` skip Litestar, a quarter of what such a request costs."""
    handlers = [asgi("/", is_mount=True, copy_scope=False)(public)]
    litestar = Litestar(
        route_handlers=handlers,
        exception_handlers={HTTPException: _bare},  # it refuses a Host that is none before any handler
        openapi_config=None,
        logging_config=None,
        debug=False,
    )

    def app(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return public(scope, receive, send) if straight(scope["raw_path"]) else litestar(scope, receive, send)

    return app


def _bare(_request: Any, error: HTTPException) -> Response[None]:
    return Response(None, status_code=error.status_code, media_type="text/plain")


async def answer_by(work: Awaitable[Taken], scope: Scope, send: Send) -> None:
    """Send what a request comes to. Whatever it raises, its sender learns that it was not taken, where one is there."""
    try:
        taken = await work
    except (SenderGone, asyncio.CancelledError):
        return  # cancelled: the listener closes and its grace is over
    except TooLarge:
        taken = TOO_LARGE
    except NoRoom:
        taken = NO_ROOM
    except Exception as error:
        _log.exception("a request failed")
        taken = NO_ROOM if no_handle_left(error) else FAILED
    if not _accepted(scope, taken):
        await _send(send, taken)


async def _answer(deps: Intake, rate: Rate, scope: HTTPScope, receive: Receive) -> Taken:
    path = scope["raw_path"]
    if not path.startswith(PREFIX):
        return health(scope["method"], migrating=deps.migrating()) if path == b"/health" else UNKNOWN
    endpoint = deps.directory().endpoints.get(unquote(path[len(PREFIX) :].decode("ascii")))
    if endpoint is None:
        return UNKNOWN
    if not may_ask(scope["method"], endpoint.touchpoint.methods, endpoint.touchpoint.handshake):
        return await wrong_method(deps, _request(deps, scope, tuple(scope["headers"]), b"", endpoint), endpoint.touchpoint)
    limits = deps.limits()
    if limits.per_second and not rate.allow(endpoint.touchpoint.id, limits.per_second, deps.now()):
        return TOO_MANY
    headers: Headers = tuple(scope["headers"])
    reader = BodyReader(deps.budget, deps.patience)
    try:
        body = await reader.read(headers, receive, limits.body)
        return await intake(deps, _request(deps, scope, headers, body, endpoint), endpoint)
    finally:
        reader.release()


def _request(deps: Intake, scope: HTTPScope, headers: Headers, body: bytes, endpoint: Endpoint) -> Request:
    client = scope["client"]
    query = scope["query_string"].decode("latin-1")
    query = f"?{query}" if query else ""
    return Request(
        method=scope["method"],
        target=scope["raw_path"].decode("ascii") + query,
        headers=headers,
        body=body,
        remote=deps.trusted_proxies().sender(client[0] if client else "", headers),
        received_at=deps.now(),
        url=endpoint.url + query,
        client_certificate=_client_certificate(scope),
    )


def _client_certificate(scope: HTTPScope) -> str:
    shown = (scope.get("extensions") or {}).get(CLIENT)
    return str(shown["certificate"]) if shown else ""


def health(method: str, *, migrating: bool) -> Taken:
    """The answer to a look at /health."""
    if method not in {"GET", "HEAD"}:
        return not_allowed(("GET", "HEAD"))
    return _MIGRATING if migrating else _HEALTHY


def may_ask(method: str, methods: tuple[str, ...], handshake: str) -> bool:
    """Whether a request by that method may be an event (by those `methods`) or a handshake, and so is read."""
    return method in methods or (bool(handshake) and method in methods_of(handshake))


def _accepted(scope: Any, taken: Taken) -> bool:
    """Whether the connection itself wrote the answer, in one go: an empty 200."""
    if taken.status != 200 or taken.headers or taken.body:
        return False
    accept = scope.get("extensions", {}).get(ACCEPT)
    return accept is not None and accept["accept"]()


async def _send(send: Send, taken: Taken) -> None:
    headers = [*taken.headers, (b"content-length", str(len(taken.body)).encode())]
    await send({"type": "http.response.start", "status": taken.status, "headers": headers})
    await send({"type": "http.response.body", "body": taken.body, "more_body": False})

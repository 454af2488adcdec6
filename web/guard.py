"""The gate in front of everything on the local port: which names it answers to, who calls, and what they may do."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from store.configuration import Actor
from store.door import Door
from store.people import People
from store.people import Scope as Right
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from web.guard_headers import is_api
from web.guard_host import host_problem
from web.guard_origin import Origin, origin_of, strange_origin
from web.guard_session import cookie_name, living_session, session_values
from web.guard_sign_in import is_htmx, send_to_sign_in
from web.guard_token import bearer, carries_token, is_machine, token_digest

OPEN = "open"  # the `opt` key of a handler that asks for no token and no session
SAME_ORIGIN = "same_origin"  # the `opt` key of a page's streams, exports and the like: no link from elsewhere opens them

Headers = Iterable[tuple[bytes, bytes]]

_ORDER = (Right.READ, Right.OPERATE, Right.ADMIN)


class NotAllowed(ProblemError):
    """A caller who is turned away; `status` is 401 or 403."""

    def __init__(self, status: int, why: Problem) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what they may do: a person's name, `token:NAME` or `machine`. Only the per-start token makes a machine."""

    name: str
    right: Right
    machine: bool = False

    @property
    def is_program(self) -> bool:
        """Whether a token proved it, and not a session: no person's name has a colon."""
        return self.machine or self.name.startswith("token:")

    @property
    def actor(self) -> Actor:
        """The caller as the audit log and the configuration's rights know it."""
        return Actor(name=self.name, machine=self.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """What the gate must know to let someone in."""

    people: People
    door: Door
    machine_token_digest: bytes  # SHA-256 of this start's token
    instance: Callable[[], str]  # the instance's id, for the cookie's name
    hosts: Callable[[], Collection[str]]  # `page.hosts` as configured now
    now: Callable[[], Micros]

    async def admit(self, headers: Headers) -> Caller:
        """Who calls, by bearer token. Raises NotAllowed(401)."""
        token = bearer(headers)
        if token is None:
            raise NotAllowed(401, problem("token_missing"))
        digest = token_digest(token)
        if is_machine(digest, self.machine_token_digest):
            return Caller(name="machine", right=Right.ADMIN, machine=True)
        kept = await self.people.token_by_digest(digest, now=self.now())
        if kept is None:
            raise NotAllowed(401, problem("token_wrong"))
        return Caller(name=f"token:{kept.name}", right=kept.scope)

    async def recognise(self, headers: Headers) -> Caller | None:
        """Who is signed in, by session cookie."""
        session = await living_session(self.door, headers, self.instance(), now=self.now())
        return Caller(name=session.person, right=Right.ADMIN) if session else None

    def carries_session(self, headers: Headers) -> bool:
        """Whether a request tries to prove itself by this instance's session cookie."""
        return bool(session_values(headers, cookie_name(self.instance())))


class Gate(ASGIMiddleware):
    """Checks the Host header, which stops DNS rebinding, and then who calls.

    Programs send a bearer token, which no browser sends by itself. People have a session cookie, which a browser sends with
    requests of other sites' making as well: where it counts, so does where the request comes from.
    """

    scopes = (ScopeType.HTTP, ScopeType.ASGI, ScopeType.WEBSOCKET)

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request on to its handler with `user` (a Caller, or None where a handler is open), or turn it away."""
        headers = scope["headers"]
        if why := host_problem(headers, self._doorkeeper.hosts()):
            raise NotAllowed(403, why)
        api, is_open = is_api(scope["path"]), bool(scope["route_handler"].opt.get(OPEN))
        if api and (carries_token(headers) or not self._doorkeeper.carries_session(headers)):
            scope["user"] = None if is_open else await self._doorkeeper.admit(headers)
            return await next_app(scope, receive, send)
        origin = self._judge(scope)
        if origin is Origin.STRANGE:
            raise NotAllowed(403, strange_origin(scope["path"]))
        scope["user"] = await self._doorkeeper.recognise(headers)
        if scope["user"] is not None or is_open:
            return await next_app(scope, receive, send)
        if api or (scope["route_handler"].opt.get(SAME_ORIGIN) and not is_htmx(headers)):
            raise NotAllowed(401, problem("sign_in_needed"))
        return await send_to_sign_in(scope, send, from_elsewhere=origin is Origin.LINK)

    @staticmethod
    def _judge(scope: Scope) -> Origin:
        handler = scope["route_handler"]
        return origin_of(
            scope["headers"],
            method=str(scope.get("method", "GET")),
            scheme=scope["scheme"],
            whole_page=bool(handler.opt.get(OPEN)) or not (is_api(scope["path"]) or handler.opt.get(SAME_ORIGIN)),
        )


def _needs(right: Right, connection: ASGIConnection[Any, Caller, Any, Any]) -> None:
    if _ORDER.index(connection.user.right) < _ORDER.index(right):
        raise NotAllowed(403, problem("scope_missing", needed=right.value, has=connection.user.right.value))


def may_operate(caller: Caller) -> bool:
    """Whether a caller has scope operate or admin."""
    return caller.right in _ORDER[1:]


def operates(connection: ASGIConnection[Any, Caller, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: the caller has scope operate or admin."""
    _needs(Right.OPERATE, connection)


def administers(connection: ASGIConnection[Any, Caller, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: the caller has scope admin."""
    _needs(Right.ADMIN, connection)

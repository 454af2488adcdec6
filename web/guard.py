"""The gate in front of everything on the local port: which names it answers to, who calls, and what they may do."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from store.configuration import Actor
from store.people import People
from store.people import Scope as Right
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from web.guard_host import host_problem
from web.guard_token import bearer, is_machine, token_digest

OPEN = "open"  # the `opt` key of a handler that asks for no token

_ORDER = (Right.READ, Right.OPERATE, Right.ADMIN)


class NotAllowed(ProblemError):
    """A caller who is turned away; `status` is 401 or 403."""

    def __init__(self, status: int, why: Problem) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what they may do. Only the per-start token makes a machine."""

    name: str
    right: Right
    machine: bool = False

    @property
    def actor(self) -> Actor:
        """The caller as the audit log and the configuration's rights know it."""
        return Actor(name=self.name, machine=self.machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """What the gate must know to let someone in."""

    people: People
    machine_token_digest: bytes  # SHA-256 of this start's token
    hosts: Callable[[], Collection[str]]  # `page.hosts` as configured now
    now: Callable[[], Micros]

    async def admit(self, scope: Scope) -> Caller:
        """Who calls, by bearer token. Raises NotAllowed(401)."""
        token = bearer(scope["headers"])
        if token is None:
            raise NotAllowed(401, problem("token_missing"))
        digest = token_digest(token)
        if is_machine(digest, self.machine_token_digest):
            return Caller(name="machine", right=Right.ADMIN, machine=True)
        kept = await self.people.token_by_digest(digest, now=self.now())
        if kept is None:
            raise NotAllowed(401, problem("token_wrong"))
        return Caller(name=f"token:{kept.name}", right=kept.scope)


class Gate(ASGIMiddleware):
    """Checks the Host header, which stops DNS rebinding, and then the token.

    A browser never sends a bearer token by itself, so Origin and Sec-Fetch-Site say nothing more here.
    """

    scopes = (ScopeType.HTTP, ScopeType.ASGI, ScopeType.WEBSOCKET)

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let the request on to its handler, or raise NotAllowed."""
        if why := host_problem(scope["headers"], self._doorkeeper.hosts()):
            raise NotAllowed(403, why)
        if not scope["route_handler"].opt.get(OPEN):
            scope["user"] = await self._doorkeeper.admit(scope)
        await next_app(scope, receive, send)


def _needs(right: Right, connection: ASGIConnection[Any, Caller, Any, Any]) -> None:
    if _ORDER.index(connection.user.right) < _ORDER.index(right):
        raise NotAllowed(403, problem("scope_missing", needed=right.value, has=connection.user.right.value))


def operates(connection: ASGIConnection[Any, Caller, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: the caller has scope operate or admin."""
    _needs(Right.OPERATE, connection)


def administers(connection: ASGIConnection[Any, Caller, Any, Any], _: BaseRouteHandler) -> None:
    """A guard: the caller has scope admin."""
    _needs(Right.ADMIN, connection)

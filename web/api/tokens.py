"""API tokens: list, add, revoke. A token's value is shown once and kept only as a digest."""

import re

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody

from store.people import Scope
from touchpoints.moment import rfc3339
from touchpoints.problem import ProblemError, problem
from web.api.front_desk import AtFrontDesk, CallerRequest, FrontDesk
from web.api.problems import REFUSALS, Conflict, NotFound
from web.api.shapes import NewToken, RevokedToken, TokenList
from web.guard import Caller, NotAllowed, administers
from web.guard_token import token_digest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


class TokenWanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An API token to make."""

    name: str
    scope: Scope = Scope.READ


class TokensController(Controller):
    """Who may use this API."""

    path = "/api/v1/tokens"
    tags = ("tokens",)
    guards = (administers,)

    @get(summary="All API tokens", responses=REFUSALS)
    async def tokens(self, desk: AtFrontDesk) -> TokenList:
        """Never their values."""
        return {
            "tokens": [
                {
                    "name": token.name,
                    "scope": token.scope.value,
                    "created_at": rfc3339(token.created_at),
                    "last_used_at": None if token.last_used_at is None else rfc3339(token.last_used_at),
                }
                for token in await desk.people.tokens()
            ]
        }

    @post(summary="Make an API token", responses=REFUSALS)
    async def add(self, data: JSONBody[TokenWanted], desk: AtFrontDesk, request: CallerRequest) -> NewToken:
        """Its value is in this answer and never shown again. A session of the page makes none: a token outlives it."""
        if not request.user.is_program:
            raise NotAllowed(403, problem("token_by_session"))
        value = await make_token(desk, request.user, data.name, data.scope)
        return {"name": data.name, "scope": data.scope.value, "token": value}

    @delete("/{name:str}", summary="Revoke an API token", status_code=200, responses=REFUSALS)
    async def revoke(self, name: FromPath[str], desk: AtFrontDesk, request: CallerRequest) -> RevokedToken:
        """From now on it opens nothing."""
        if not await desk.people.revoke_token(name):
            raise NotFound(problem("no_such_token", name=ascii(name[:100])[1:-1]))
        await desk.write_down(request.user, "tokens.revoke", name)
        return {"revoked": name}


async def make_token(desk: FrontDesk, caller: Caller, name: str, scope: Scope) -> str:
    """A new token's value. Raises ProblemError(token_name_invalid) and Conflict(token_name_taken)."""
    if _NAME.fullmatch(name) is None:
        raise ProblemError(problem("token_name_invalid"))
    if any(token.name == name for token in await desk.people.tokens()):
        raise Conflict(problem("token_name_taken", name=name))
    value = desk.new_token()
    await desk.people.add_token(name, scope, token_digest(value), now=desk.now())
    await desk.write_down(caller, "tokens.add", f"{name} ({scope.value})")
    return value

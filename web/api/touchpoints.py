"""Touchpoints: list, add, rename, remove, test."""

from typing import Annotated, Any, cast

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter, RawBody

from touchpoints.problem import ProblemError, problem
from touchpoints.touchpoint import Touchpoint
from web.api.desk import AtDesk, CallerRequest, Desk
from web.api.event_shape import preview_shown
from web.api.problems import REFUSALS, Conflict, NotFound, applied_shape
from web.api.shapes import AppliedShape, TouchpointList
from web.control import Json
from web.guard import administers, may_operate, operates

TEST_BODY_LIMIT = 25 * 1024 * 1024


class NewTouchpoint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A touchpoint to add."""

    touchpoint: Annotated[dict[str, Any], msgspec.Meta(description="One `[[touchpoint]]` of the configuration file.")]
    base: Annotated[str, msgspec.Meta(description="The folder that `file:` names are relative to.")] = ""
    dry_run: bool = False


class NewName(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A touchpoint's new name."""

    name: str


class TouchpointsController(Controller):
    """Units of execution between the endpoints of two apps."""

    path = "/api/v1/touchpoints"
    tags = ("touchpoints",)

    @get(summary="All touchpoints", responses=REFUSALS)
    async def touchpoints(self, desk: AtDesk, request: CallerRequest) -> TouchpointList:
        """Each with its state, its endpoint URLs, its destinations, and when the last event came.

        The proxy's URLs hold tokens, and whoever knows one may post: for scope read they are null.
        """
        found = cast(TouchpointList, await desk.control.touchpoints())
        if not may_operate(request.user):
            for one in found["touchpoints"]:
                one["endpoint_urls"]["proxy"] = None
        return found

    @post(summary="Add a touchpoint", guards=[administers], status_code=200, responses=REFUSALS)
    async def add(self, data: JSONBody[NewTouchpoint], desk: AtDesk, request: CallerRequest) -> AppliedShape:
        """Adds one; refused with all its problems at once, or when the name is taken."""
        name = data.touchpoint.get("name")
        if any(name in (one.name, *one.aliases) for one in desk.control.configuration().touchpoints):
            raise Conflict(problem("touchpoint_exists", name=name))
        applied = await desk.control.apply(
            {"touchpoint": [data.touchpoint]},
            base=data.base,
            digest="",
            prune=False,
            dry_run=data.dry_run,
            actor=request.user.actor,
        )
        return applied_shape(applied, dry_run=data.dry_run)

    @post("/{name:str}/rename", summary="Rename a touchpoint", guards=[administers], status_code=200, responses=REFUSALS)
    async def rename(self, name: FromPath[str], data: JSONBody[NewName], desk: AtDesk, request: CallerRequest) -> AppliedShape:
        """The old name stays as an alias, so that no sender's URL dies."""
        _must_exist(desk, name)
        return applied_shape(await desk.control.rename(name, data.name, actor=request.user.actor), dry_run=False)

    @delete("/{name:str}", summary="Remove a touchpoint", guards=[administers], status_code=200, responses=REFUSALS)
    async def remove(self, name: FromPath[str], desk: AtDesk, request: CallerRequest) -> AppliedShape:
        """Refused while it has undelivered events."""
        _must_exist(desk, name)
        return applied_shape(await desk.control.remove(name, actor=request.user.actor), dry_run=False)

    @post(
        "/{name:str}/test",
        summary="Send a test event",
        guards=[operates],
        status_code=200,
        request_max_body_size=TEST_BODY_LIMIT,
        responses=REFUSALS,
    )
    async def test(
        self,
        name: FromPath[str],
        body: RawBody,
        desk: AtDesk,
        request: CallerRequest,
        deliver: Annotated[bool, QueryParameter(description="Send it on, marked `Hookport-Test: true`.")] = False,
        header: Annotated[list[str] | None, QueryParameter(description="Headers: `Name: value`.", max_items=100)] = None,
    ) -> Json:
        """Signs the request's body as the provider does, receives and verifies it, and shows what would be sent.

        Without a body, the provider's sample is taken.
        """
        touchpoint = _must_exist(desk, name)
        headers = dict(_header(one) for one in header or ())
        played = await desk.control.test(name, body or None, headers=headers, deliver=deliver, actor=request.user.actor)
        return preview_shown(played, touchpoint)


def _must_exist(desk: Desk, name: str) -> Touchpoint:
    found = next((one for one in desk.control.configuration().touchpoints if one.name == name), None)
    if found is None:
        raise NotFound(problem("touchpoint_unknown", name=ascii(name[:100])[1:-1]))
    return found


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not text.isprintable():
        raise ProblemError(problem("header_malformed"))
    return name.strip().lower(), value.strip()

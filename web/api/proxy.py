"""The way through a hosted proxy: how this agent stands there, pairing, and what a person does about it."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody

from touchpoints.problem import ProblemError, problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.api.problems import REFUSALS
from web.api.proxy_shapes import (
    OrganisationShape,
    PairedShape,
    ProxyShape,
    QueuedShape,
    organisation_shape,
    proxy_shape,
)
from web.guard import administers, may_operate
from web.membership import LONGEST_NAME, is_agent_name

Short = Annotated[str, msgspec.Meta(max_length=200)]


class Pairing(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A pairing to make; `code` and `url` are the proxy's operator's to give."""

    code: Short
    url: Annotated[str, msgspec.Meta(max_length=2000)]
    name: Annotated[str, msgspec.Meta(description="What this agent is called there; left out, this machine's name.")] = ""


class Approval(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent whose fingerprint a person compared with the one it shows itself."""

    agent_id: Short
    fingerprint: Short


class Recovery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The recovery key, as it was shown when the first agent was paired."""

    recovery_key: Short


class Other(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Another agent of the organisation."""

    agent_id: Short


class Position(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One of the proxy's numbers for events."""

    to: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Rotation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A touchpoint by its name."""

    touchpoint: Short


class OldWay(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An old way in: `direct` or `proxy`."""

    which: Short


class Left(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether to run what a former pairing left, or to drop it."""

    run: bool


class Dismissal(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What needs nobody any more."""

    what: Literal["restored"]


class Leaving(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether to unpair also where the proxy cannot be told; its operator then revokes this agent."""

    anyway: bool = False


class ProxyController(Controller):
    """This agent's place at a hosted proxy."""

    path = "/api/v1/proxy"
    tags = ("proxy",)

    @get(summary="How this agent stands at its proxy", responses=REFUSALS)
    async def proxy(self, desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """Without asking the proxy. With scope operate also the endpoint URLs there, by touchpoint."""
        return _shown(desk, request)

    @get("/organisation", summary="The organisation's agents, backlog and quota", responses=REFUSALS)
    async def organisation(self, desk: AtDesk) -> OrganisationShape:
        """Asks the proxy. Compare fingerprints with what an agent shows itself, never with what the operator says."""
        return organisation_shape(await desk.membership.state())

    @post("/pair", summary="Pair with a proxy", guards=[administers], status_code=200, responses=REFUSALS)
    async def pair(self, data: JSONBody[Pairing], desk: AtDesk, request: CallerRequest) -> PairedShape:
        """Leaves the mode as it is. The recovery key is in this answer and never shown again."""
        name = data.name.strip() or desk.facts().machine[:LONGEST_NAME] or "agent"
        if not is_agent_name(name):
            raise ProblemError(problem("agent_name_invalid", path="name"))
        key = await desk.membership.pair(data.code, data.url, name=name, actor=request.user.name)
        standing = desk.membership.standing()
        return {
            "url": standing.url,
            "domain": standing.domain,
            "agent": standing.agent_name,
            "agent_id": standing.agent_id,
            "fingerprint": standing.fingerprint,
            "state": standing.state,
            "recovery_key": key or None,
        }

    @post("/approve", summary="Approve another agent", guards=[administers], status_code=200, responses=REFUSALS)
    async def approve(self, data: JSONBody[Approval], desk: AtDesk, request: CallerRequest) -> OrganisationShape:
        """Hands it the organisation's key, sealed for it alone; from then on it can open what is sent to the organisation."""
        await desk.membership.approve(data.agent_id, data.fingerprint, actor=request.user.name)
        return organisation_shape(await desk.membership.state())

    @post("/recover", summary="Enter the recovery key", guards=[administers], status_code=200, responses=REFUSALS)
    async def recover(self, data: JSONBody[Recovery], desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """This agent gets the organisation's key without another agent's approval."""
        await desk.membership.recover(data.recovery_key, actor=request.user.name)
        return _shown(desk, request)

    @post("/take-over", summary="Take over another agent's events", guards=[administers], status_code=200, responses=REFUSALS)
    async def take_over(self, data: JSONBody[Other], desk: AtDesk, request: CallerRequest) -> QueuedShape:
        """What it pulled and did not settle is queued again. They may run twice."""
        return {"events": await desk.membership.take_over(data.agent_id, actor=request.user.name)}

    @post("/seek", summary="Queue events again", guards=[administers], status_code=200, responses=REFUSALS)
    async def seek(self, data: JSONBody[Position], desk: AtDesk, request: CallerRequest) -> QueuedShape:
        """What was acknowledged after `to` and is still kept at the proxy. What this agent still has is not run again."""
        return {"events": await desk.membership.seek(data.to, actor=request.user.name)}

    @post("/rotate", summary="Renew an endpoint URL", guards=[administers], status_code=200, responses=REFUSALS)
    async def rotate(self, data: JSONBody[Rotation], desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """The old URL is answered for some time more."""
        await desk.membership.rotate(data.touchpoint, actor=request.user.name)
        return _shown(desk, request)

    @post("/close", summary="Close an old way in now", guards=[administers], status_code=200, responses=REFUSALS)
    async def close(self, data: JSONBody[OldWay], desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """Before its overlap has passed."""
        await desk.membership.close_old(data.which, actor=request.user.name)
        return _shown(desk, request)

    @post("/left", summary="Settle what a former pairing left", guards=[administers], status_code=200, responses=REFUSALS)
    async def left(self, data: JSONBody[Left], desk: AtDesk, request: CallerRequest) -> QueuedShape:
        """Events that were pulled and never confirmed: run, they may have run on another agent too; dropped, they are gone."""
        return {"events": await desk.membership.settle_left(run=data.run, actor=request.user.name)}

    @post("/dismiss", summary="Dismiss what was looked after", guards=[administers], status_code=200, responses=REFUSALS)
    async def dismiss(self, data: JSONBody[Dismissal], desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """`restored`: a person compared what ran while the proxy was restored. Without effect where nothing is said of it."""
        match data.what:
            case "restored":
                await desk.membership.dismiss_restored(actor=request.user.name)
        return _shown(desk, request)

    @post("/leave", summary="Unpair", guards=[administers], status_code=200, responses=REFUSALS)
    async def leave(self, data: JSONBody[Leaving], desk: AtDesk, request: CallerRequest) -> ProxyShape:
        """This agent's keys are forgotten here and revoked there."""
        await desk.membership.leave(anyway=data.anyway, actor=request.user.name)
        return _shown(desk, request)


def _shown(desk: Desk, request: CallerRequest) -> ProxyShape:
    standing = desk.membership.standing()
    if not may_operate(request.user):
        return proxy_shape(standing, None)
    names = {one.id: one.name for one in desk.control.configuration().touchpoints}
    return proxy_shape(standing, {names[number]: url for number, url in standing.urls.items() if number in names})

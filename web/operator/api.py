"""The operator's JSON API: organisations, their codes and agents, beside what every role's API has."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, cast

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import UNSET, UnsetType

from touchpoints.problem import ProblemError, problem
from web.api.admin import AdminController
from web.api.audit import AuditController
from web.api.backups import BackupsController
from web.api.configuration import ConfigurationFile, read_toml
from web.api.problems import REFUSALS, Conflict, NotFound, RefusedConfiguration
from web.api.shapes import AppliedShape, Checked, ConfigurationText
from web.api.status import health
from web.api.tokens import TokensController
from web.guard import administers, operates
from web.operator.change import apply_text
from web.operator.desk import AtOperatorDesk, CallerRequest
from web.operator.shapes import (
    Agents,
    Code,
    OperatorStatus,
    Organisations,
    OrganisationShape,
    Removed,
    Revoked,
    TakenOver,
    agent_shape,
    code_shape,
    organisation_shape,
)

JSON_LINES = "application/x-ndjson"

_MISSING = {"organisation_unknown", "agent_unknown"}
_TAKEN = {"domain_taken", "domain_rests", "domain_confusable", "agent_holds_lease"}
_Events = Annotated[int, msgspec.Meta(ge=1, le=10**12, description="How many events may wait; null: the server's.")]
_Bytes = Annotated[
    int, msgspec.Meta(ge=1024 * 1024, le=2**53, description="Room for the events that wait, in bytes; null: the server's.")
]


class OrganisationWanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An organisation to add."""

    name: str
    quota_events: _Events | None = None
    quota_bytes: _Bytes | None = None


class QuotaWanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A quota to set; what is left out stays."""

    quota_events: _Events | UnsetType | None = UNSET
    quota_bytes: _Bytes | UnsetType | None = UNSET


class CodeWanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A pairing code to make."""

    replaces: Annotated[str, msgspec.Meta(description="Name or id of the agent whose place the new one takes.")] = ""


class OperatorStatusController(Controller):
    """The proxy's state."""

    path = "/api/v1/status"
    tags = ("status",)

    @get(summary="How the proxy fares", responses=REFUSALS)
    async def status(self, desk: AtOperatorDesk) -> OperatorStatus:
        """Whether the public listener is up, what waits, and what needs the operator."""
        return cast(OperatorStatus, await desk.control.status())


class OrganisationsController(Controller):
    """The organisations of the proxy."""

    path = "/api/v1/organisations"
    tags = ("organisations",)

    @get(summary="A page of organisations, by name", responses=REFUSALS)
    async def organisations(
        self,
        desk: AtOperatorDesk,
        limit: Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most.")] = 200,
        after: Annotated[str, QueryParameter(description="The `next_after` of the page before.")] = "",
    ) -> Organisations:
        """With backlog, quota and agents; their gaps and unsettled events are with each one alone."""
        found = await desk.control.organisations(after=after, limit=limit)
        return {
            "organisations": [organisation_shape(one) for one in found],
            "next_after": found[-1].name if len(found) == limit else None,
        }

    @post(summary="Add an organisation", guards=[administers], responses=REFUSALS)
    async def add(self, data: JSONBody[OrganisationWanted], desk: AtOperatorDesk, request: CallerRequest) -> Code:
        """Answers with its first pairing code: single use, ten minutes, five tries."""
        with _statuses():
            fresh = await desk.control.add(
                data.name, quota_events=data.quota_events, quota_bytes=data.quota_bytes, actor=request.user.actor
            )
        return code_shape(fresh)

    @get("/{name:str}", summary="One organisation", responses=REFUSALS)
    async def organisation(self, name: FromPath[str], desk: AtOperatorDesk) -> OrganisationShape:
        """With its gap, and the unsettled events of each agent."""
        with _statuses():
            return organisation_shape(await desk.control.organisation(name))

    @patch("/{name:str}", summary="Set an organisation's quota", guards=[administers], responses=REFUSALS)
    async def change(
        self, name: FromPath[str], data: JSONBody[QuotaWanted], desk: AtOperatorDesk, request: CallerRequest
    ) -> OrganisationShape:
        """null: the server's default counts."""
        with _statuses():
            now = await desk.control.organisation(name)
            await desk.control.change(
                name,
                quota_events=now.own_events if data.quota_events is UNSET else data.quota_events,
                quota_bytes=now.own_bytes if data.quota_bytes is UNSET else data.quota_bytes,
                actor=request.user.actor,
            )
            return organisation_shape(await desk.control.organisation(name))

    @delete("/{name:str}", summary="Remove an organisation", status_code=200, guards=[administers], responses=REFUSALS)
    async def remove(
        self,
        name: FromPath[str],
        desk: AtOperatorDesk,
        request: CallerRequest,
        erase: Annotated[bool, QueryParameter(description="Erase events that still wait, too.")] = False,
    ) -> Removed:
        """Erases everything of it; its name rests for a year. Without `erase` it stays while events wait for it."""
        with _statuses():
            waiting = (await desk.control.organisation(name)).backlog.events
            if waiting and not erase:
                raise Conflict(problem("remove_not_confirmed", name=name, count=waiting))
            return {"removed": name, "events": await desk.control.remove(name, actor=request.user.actor)}

    @post("/{name:str}/codes", summary="Make a pairing code", guards=[administers], responses=REFUSALS)
    async def code(self, name: FromPath[str], data: JSONBody[CodeWanted], desk: AtOperatorDesk, request: CallerRequest) -> Code:
        """For a further agent, or in the place of one that is lost. Single use, ten minutes, five tries."""
        with _statuses():
            await desk.control.organisation(name)
        # An agent that the body names and nobody knows is no address that is not there.
        return code_shape(await desk.control.code(name, replaces=data.replaces, actor=request.user.actor))

    @get("/{name:str}/agents", summary="An organisation's agents", responses=REFUSALS)
    async def agents(self, name: FromPath[str], desk: AtOperatorDesk) -> Agents:
        """The revoked ones last."""
        with _statuses():
            return {"agents": [agent_shape(one) for one in (await desk.control.organisation(name)).agents]}

    @delete(
        "/{name:str}/agents/{agent:str}", summary="Revoke an agent", status_code=200, guards=[administers], responses=REFUSALS
    )
    async def revoke(self, name: FromPath[str], agent: FromPath[str], desk: AtOperatorDesk, request: CallerRequest) -> Revoked:
        """By name or id. Its key opens nothing from now on."""
        with _statuses():
            return {"revoked": await desk.control.revoke(name, agent, actor=request.user.actor)}

    @post(
        "/{name:str}/agents/{agent:str}/take-over",
        summary="Queue again what an agent did not settle",
        status_code=200,
        guards=[operates],
        responses=REFUSALS,
    )
    async def take_over(
        self, name: FromPath[str], agent: FromPath[str], desk: AtOperatorDesk, request: CallerRequest
    ) -> TakenOver:
        """Another agent gets these events. What the first one ran already may run twice."""
        with _statuses():
            return {"events": await desk.control.take_over(name, agent, actor=request.user.actor)}

    @get(
        "/{name:str}/export",
        summary="Everything of an organisation",
        media_type=JSON_LINES,
        guards=[administers],
        responses=REFUSALS,
    )
    async def export(self, name: FromPath[str], desk: AtOperatorDesk, request: CallerRequest) -> Stream:
        """JSON Lines; the events in it stay sealed, and only the organisation's agents can open them."""
        with _statuses():
            await desk.control.organisation(name)
        await desk.write_down(request.user, "organisation.export", name)
        return export_answer(name, desk.control.export(name))


class ServerConfigurationController(Controller):
    """Settings and organisations; the database is the truth."""

    path = "/api/v1/configuration"
    tags = ("configuration",)

    @get(summary="The whole configuration", guards=[operates], responses=REFUSALS)
    async def show(self, desk: AtOperatorDesk) -> ConfigurationText:
        """As TOML, which apply accepts."""
        return {"toml": await desk.control.show()}

    @post(summary="Apply a configuration file", guards=[administers], status_code=200, responses=REFUSALS)
    async def apply(self, data: JSONBody[ConfigurationFile], desk: AtOperatorDesk, request: CallerRequest) -> AppliedShape:
        """Merges key by key; every problem is reported at once, and then nothing is changed."""
        applied = await apply_text(desk, data.toml, read_toml(data.toml), data, actor=request.user.actor)
        if applied.problems:
            raise RefusedConfiguration(*applied.problems)
        changes = [{"path": change.path, "what": change.what} for change in applied.changes]
        return cast(AppliedShape, {"dry_run": data.dry_run, "changes": changes})


class QueueFilesController(Controller):
    """Configuration and queue on disk."""

    path = "/api/v1/files"
    tags = ("files",)

    @get("/check", summary="Whether both files read from end to end", guards=[operates], responses=REFUSALS)
    async def check(self, desk: AtOperatorDesk) -> Checked:
        """Takes as long as reading everything takes; the rest goes on meanwhile."""
        return cast(Checked, await desk.control.check())

    @post(
        "/events/start-empty",
        summary="Begin with an empty queue",
        status_code=200,
        guards=[administers],
        responses=REFUSALS,
    )
    async def start_empty(self, desk: AtOperatorDesk, request: CallerRequest) -> Checked:
        """Only where the queue's file is damaged. The damaged one is moved aside and stays."""
        await desk.control.start_empty(actor=request.user.actor)
        return cast(Checked, await desk.control.check())


def export_answer(name: str, lines: AsyncIterator[bytes]) -> Stream:
    """An export as a download."""
    file = re.sub(r"[^a-z0-9-]", "", name)
    headers = {"content-disposition": f'attachment; filename="{file}.jsonl"'}
    return Stream(lines, media_type=JSON_LINES, headers=headers)


@contextmanager
def _statuses() -> Iterator[None]:
    """What is not there is answered 404, what is there already 409."""
    try:
        yield
    except (NotFound, Conflict):
        raise
    except ProblemError as error:
        code = error.problems[0].code
        if code in _MISSING:
            raise NotFound(*error.problems) from error
        if code in _TAKEN:
            raise Conflict(*error.problems) from error
        raise


OPERATOR_API_HANDLERS: list[ControllerRouterHandler] = [
    health,
    OperatorStatusController,
    OrganisationsController,
    ServerConfigurationController,
    TokensController,
    AuditController,
    AdminController,
    QueueFilesController,
    BackupsController,
]

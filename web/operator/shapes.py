"""The shapes of the operator API's answers. Keys are only ever added; times are RFC 3339 UTC, null for never."""

from typing import TypedDict

from touchpoints.moment import Micros, rfc3339
from web.api.shapes import Need, PathState, ProxyState
from web.operator.view import AgentView, FreshCode, OrganisationView


class ProxyQueue(TypedDict):
    """What waits at the proxy, over all; null while the queue's file cannot be used."""

    events: int | None
    bytes: int | None
    organisations: int
    connected: int


class OperatorNeed(Need):
    """Something that waits for the operator; `organisation` where it is one's."""

    organisation: str | None


class QueueBacklog(TypedDict):
    """What waits, in the keys of an agent's status."""

    inbox: int | None
    outbox: int | None
    held: int | None
    oldest_seconds: int | None


class OperatorStatus(TypedDict):
    """How the proxy fares. `direct` is its public listener."""

    version: str
    role: str
    running: bool
    ok: bool
    mode: str | None
    data_dir: str
    page: str | None
    direct: PathState
    proxy: ProxyState
    backlog: QueueBacklog
    queue: ProxyQueue
    needs_you: list[OperatorNeed]


class AgentShape(TypedDict):
    """One agent of an organisation."""

    id: str
    name: str
    state: str
    fingerprint: str
    version: str
    paired_at: str
    last_seen_at: str | None
    connected: bool
    holds_lease: bool
    paused: str
    lacking: list[str]
    unsettled: int


class Agents(TypedDict):
    """An organisation's agents."""

    agents: list[AgentShape]


class OrganisationShape(TypedDict):
    """One organisation."""

    name: str
    state: str
    created_at: str
    quota_events: int
    quota_bytes: int
    own_quota_events: int | None
    own_quota_bytes: int | None
    events: int
    bytes: int
    oldest_at: str | None
    used: float
    endpoints: int
    last_hour: int
    url: str
    gap: list[int] | None
    agents: list[AgentShape]


class Organisations(TypedDict):
    """A page of organisations."""

    organisations: list[OrganisationShape]
    next_after: str | None


class Code(TypedDict):
    """A pairing code; its value stands in this answer and never again."""

    organisation: str
    code: str
    expires_at: str
    replaces: str


class Revoked(TypedDict):
    """An agent that was revoked."""

    revoked: str


class TakenOver(TypedDict):
    """How many events were queued again."""

    events: int


class Removed(TypedDict):
    """An organisation that was removed, and how many events that waited went with it."""

    removed: str
    events: int


def agent_shape(view: AgentView) -> AgentShape:
    """An agent as JSON."""
    return {
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "fingerprint": view.fingerprint,
        "version": view.version,
        "paired_at": rfc3339(view.paired_at),
        "last_seen_at": _moment(view.last_seen_at),
        "connected": view.connected,
        "holds_lease": view.holds_lease,
        "paused": view.paused,
        "lacking": list(view.lacking),
        "unsettled": view.unsettled,
    }


def organisation_shape(view: OrganisationView) -> OrganisationShape:
    """An organisation as JSON."""
    return {
        "name": view.name,
        "state": view.state,
        "created_at": rfc3339(view.created_at),
        "quota_events": view.quota_events,
        "quota_bytes": view.quota_bytes,
        "own_quota_events": view.own_events,
        "own_quota_bytes": view.own_bytes,
        "events": view.backlog.events,
        "bytes": view.backlog.bytes,
        "oldest_at": _moment(view.backlog.oldest),
        "used": round(view.used, 4),
        "endpoints": view.endpoints,
        "last_hour": view.last_hour,
        "url": view.url,
        "gap": list(view.gap) if view.gap else None,
        "agents": [agent_shape(agent) for agent in view.agents],
    }


def code_shape(fresh: FreshCode) -> Code:
    """A code as JSON."""
    return {
        "organisation": fresh.organisation,
        "code": fresh.text,
        "expires_at": rfc3339(fresh.expires_at),
        "replaces": fresh.replaces,
    }


def _moment(moment: Micros) -> str | None:
    return rfc3339(moment) if moment else None

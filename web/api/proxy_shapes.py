"""The shapes of answers about the way through a hosted proxy. Keys are only ever added; times are RFC 3339 UTC."""

from typing import TypedDict

from touchpoints.moment import Micros, rfc3339
from touchpoints.pull.call import State, StateAgent
from touchpoints.pull.message import Backlog
from touchpoints.pull.pairing import fingerprint
from web.api.shapes import ProblemShape
from web.membership import Closing, Standing


class BacklogShape(TypedDict):
    """What waits at the proxy."""

    events: int
    bytes: int
    oldest_at: str | None


class ClosingShape(TypedDict):
    """An old way in that is still open after a switch; it closes when nothing verified came by it until `closes_at`."""

    since: str
    last_used_at: str | None
    closes_at: str


class PositionsShape(TypedDict):
    """Two of the proxy's numbers for events."""

    first: int
    last: int


class ProxyShape(TypedDict):
    """How this agent stands at its proxy. `endpoint_urls` hold tokens: null where the caller's scope is read."""

    paired: bool
    state: str
    problem: ProblemShape | None
    url: str | None
    domain: str | None
    host: str | None
    agent_id: str | None
    agent: str | None
    fingerprint: str | None
    last_poll_at: str | None
    waiting: BacklogShape
    holder: str | None
    notices: list[str]
    gap: PositionsShape | None
    behind: PositionsShape | None
    lacking: list[str]
    unsettled: int
    left: int
    endpoint_urls: dict[str, str] | None
    closing: ClosingShape | None
    direct_closing: ClosingShape | None


class AgentShape(TypedDict):
    """An agent of the organisation. `fingerprint` is reckoned here from its keys."""

    id: str
    name: str
    state: str
    fingerprint: str
    version: str
    paired_at: str | None
    last_seen_at: str | None
    holds_lease: bool
    lacking: list[str]
    unsettled: int


class OrganisationShape(TypedDict):
    """The organisation as the proxy tells it just now."""

    domain: str
    acknowledged: int
    agents: list[AgentShape]
    waiting: BacklogShape
    quota_events: int
    quota_bytes: int
    notices: list[str]
    proxy_time: str


class PairedShape(TypedDict):
    """What pairing came to. `recovery_key` is in this answer and nowhere else; null: another agent was first."""

    url: str
    domain: str
    agent: str
    agent_id: str
    fingerprint: str
    state: str
    recovery_key: str | None


class QueuedShape(TypedDict):
    """How many events it concerned."""

    events: int


def proxy_shape(standing: Standing, urls: dict[str, str] | None) -> ProxyShape:
    """How an agent stands."""
    found = standing.problem
    return {
        "paired": standing.paired,
        "state": standing.state,
        "problem": {"code": found.code, "text": found.text, "mend": found.mend, "path": found.path} if found else None,
        "url": standing.url or None,
        "domain": standing.domain or None,
        "host": standing.host or None,
        "agent_id": standing.agent_id or None,
        "agent": standing.agent_name or None,
        "fingerprint": standing.fingerprint or None,
        "last_poll_at": _moment(standing.last_poll_at),
        "waiting": _backlog(standing.backlog),
        "holder": standing.holder or None,
        "notices": list(standing.notices),
        "gap": _positions(standing.gap),
        "behind": _positions(standing.behind),
        "lacking": list(standing.lacking),
        "unsettled": standing.unsettled,
        "left": standing.left,
        "endpoint_urls": urls,
        "closing": _closing(standing.closing),
        "direct_closing": _closing(standing.direct_closing),
    }


def organisation_shape(state: State) -> OrganisationShape:
    """What the proxy told."""
    return {
        "domain": state.domain,
        "acknowledged": state.acknowledged,
        "agents": [_agent(one) for one in state.agents],
        "waiting": _backlog(state.backlog),
        "quota_events": state.quota_events,
        "quota_bytes": state.quota_bytes,
        "notices": list(state.notices),
        "proxy_time": rfc3339(state.now),
    }


def _agent(agent: StateAgent) -> AgentShape:
    return {
        "id": agent.id,
        "name": agent.name,
        "state": agent.state,
        "fingerprint": fingerprint(agent.signing_key, agent.exchange_key),
        "version": agent.version,
        "paired_at": _moment(agent.paired_at),
        "last_seen_at": _moment(agent.last_seen_at),
        "holds_lease": agent.holds_lease,
        "lacking": list(agent.lacking),
        "unsettled": agent.unsettled,
    }


def _backlog(backlog: Backlog) -> BacklogShape:
    return {"events": backlog.events, "bytes": backlog.bytes, "oldest_at": _moment(backlog.oldest)}


def _closing(closing: Closing | None) -> ClosingShape | None:
    if closing is None:
        return None
    return {
        "since": rfc3339(closing.since),
        "last_used_at": _moment(closing.used_at),
        "closes_at": rfc3339(closing.closes_at),
    }


def _positions(span: tuple[int, int] | None) -> PositionsShape | None:
    return None if span is None else {"first": span[0], "last": span[1]}


def _moment(moment: Micros) -> str | None:
    return rfc3339(moment) if moment else None

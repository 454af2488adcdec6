"""The organisation as its agents see it: who is paired, what waits at the proxy, how much of the quota is used."""

import asyncio
from dataclasses import dataclass

from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.pull.call import State, StateAgent
from touchpoints.pull.message import Backlog
from touchpoints.pull.pairing import fingerprint
from web.membership import Membership, Standing

PATIENCE = 3.0  # seconds: a screen waits no longer for the proxy
_ASKED = frozenset({"off", "connected", "standby", "waiting_key", "paused"})  # in which there is somebody to ask


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """One agent of the organisation."""

    id: str
    name: str
    state: str  # pulls | ready | waiting | revoked
    fingerprint: str
    version: str
    last_seen_at: Micros
    lacking: tuple[str, ...]
    unsettled: int
    me: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationView:
    """What the proxy tells."""

    agents: tuple[AgentView, ...] = ()
    gone: tuple[AgentView, ...] = ()  # revoked, with events that nobody settled
    backlog: Backlog
    quota_events: int = 0
    quota_bytes: int = 0

    @property
    def used(self) -> float:
        """How much of the quota is used, by events or bytes, whichever is more; 1 is all."""
        parts = [(self.backlog.events, self.quota_events), (self.backlog.bytes, self.quota_bytes)]
        return max(used / most if most else 0.0 for used, most in parts)

    @property
    def waiting(self) -> bool:
        """Whether this agent has not got the organisation's key yet."""
        return any(one.me and one.state == "waiting" for one in self.agents)

    @property
    def alone(self) -> bool:
        """Whether no other agent is paired."""
        return all(one.me for one in self.agents)


async def organisation(membership: Membership, standing: Standing) -> tuple[OrganisationView | None, Problem | None]:
    """What the proxy tells now, or why it tells nothing; it is not asked while it cannot be reached anyway."""
    if standing.state not in _ASKED:
        return None, None
    try:
        async with asyncio.timeout(PATIENCE):
            return _view(await membership.state(), standing), None
    except TimeoutError:
        return None, problem("proxy_silent", seconds=f"{PATIENCE:.0f}")
    except ProblemError as error:
        return None, error.problems[0]


def _view(state: State, standing: Standing) -> OrganisationView:
    agents = [_agent(one, standing) for one in state.agents]
    return OrganisationView(
        agents=tuple(one for one in agents if one.state != "revoked"),
        gone=tuple(one for one in agents if one.state == "revoked" and one.unsettled),
        backlog=state.backlog,
        quota_events=state.quota_events,
        quota_bytes=state.quota_bytes,
    )


def _agent(one: StateAgent, standing: Standing) -> AgentView:
    return AgentView(
        id=one.id,
        name=one.name,
        state="pulls" if one.state == "ready" and one.holds_lease else one.state,
        fingerprint=fingerprint(one.signing_key, one.exchange_key),
        version=one.version,
        last_seen_at=one.last_seen_at,
        lacking=one.lacking,
        unsettled=one.unsettled,
        me=one.id == standing.agent_id,
    )

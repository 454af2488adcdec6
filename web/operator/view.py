"""What the operator sees of the organisations: values that page, JSON API and command line show alike."""

from dataclasses import dataclass, field

from touchpoints.moment import Micros
from touchpoints.pull.message import Backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """One agent of an organisation."""

    id: str
    name: str
    state: str  # waiting | ready | revoked
    fingerprint: str
    version: str = ""
    paired_at: Micros = 0
    last_seen_at: Micros = 0  # 0: never since it was paired
    connected: bool = False  # heard within the last two minutes
    holds_lease: bool = False
    paused: str = ""  # why it takes nothing, in its own word
    lacking: tuple[str, ...] = ()
    unsettled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationView:
    """One organisation, with what waits for it and who pulls it."""

    id: int
    name: str
    created_at: Micros
    quota_events: int  # that counts
    quota_bytes: int
    own_events: int | None = None  # its own quota; None: the server's
    own_bytes: int | None = None
    backlog: Backlog = field(default_factory=Backlog)
    used: float = 0.0  # part of the quota; 1 is all
    agents: tuple[AgentView, ...] = ()
    endpoints: int = 0
    last_hour: int = 0  # events received
    gap: tuple[int, int] | None = None
    base: str = ""  # the proxy's public URL
    url: str = ""  # the beginning of its endpoint URLs

    @property
    def state(self) -> str:
        """new: no agent yet; connected; standby: agents are heard, none pulls; away: none is heard."""
        living = [agent for agent in self.agents if agent.state != "revoked"]
        if not living:
            return "new"
        if any(agent.holds_lease and agent.connected for agent in living):
            return "connected"
        return "standby" if any(agent.connected for agent in living) else "away"

    @property
    def holder(self) -> str:
        """The name of the agent that holds the lease; empty: nobody."""
        return next((agent.name for agent in self.agents if agent.holds_lease), "")

    @property
    def last_seen_at(self) -> Micros:
        """When any of its agents was last heard; 0: never."""
        return max((agent.last_seen_at for agent in self.agents if agent.state != "revoked"), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshCode:
    """A pairing code that was just made; shown this once."""

    organisation: str
    text: str = field(repr=False)  # XXXX-XXXX-XXXX-XXXX-XXXX
    expires_at: Micros
    replaces: str = ""  # the agent whose place it gives away

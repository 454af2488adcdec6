"""What page and API ask about this agent's place at a hosted proxy; `appliance` answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from touchpoints.moment import Micros
from touchpoints.problem import Problem
from touchpoints.pull.call import State
from touchpoints.pull.message import Backlog

LONGEST_NAME = 64  # characters of an agent's


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An old way in that is still open after a switch."""

    since: Micros
    used_at: Micros  # when it last brought a verified event; 0: never since
    closes_at: Micros  # if nothing verified comes by it until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How this agent stands at the proxy, told without asking it."""

    state: str = "off"  # off | connecting | connected | standby | waiting_key | paused | down | revoked
    paired: bool = False
    url: str = ""
    domain: str = ""
    host: str = ""  # as the badge shows it: acme.proxy.example.net, or proxy.example.net/acme without wildcard DNS
    agent_id: str = ""
    agent_name: str = ""
    fingerprint: str = ""
    problem: Problem | None = None
    last_poll_at: Micros = 0
    backlog: Backlog = field(default_factory=Backlog)
    holder: str = ""  # the agent that holds the lease, when it is another
    notices: tuple[str, ...] = ()  # problem codes: quota_half, quota_near, quota_reached, proxy_restored …
    gap: tuple[int, int] | None = None  # what a restored proxy lost
    behind: tuple[int, int] | None = None  # what a restored agent lacks: seek back to the first
    lacking: tuple[str, ...] = ()  # touchpoints declared by others that this agent has not, or not the secret of
    unsettled: int = 0  # pulled events that are not settled here
    left: int = 0  # events pulled under a former pairing, of which nobody can tell any more whether they ran elsewhere
    urls: Mapping[int, str] = field(default_factory=dict)  # endpoint URLs at the proxy by touchpoint id
    closing: Closing | None = None  # the proxy path, after a switch to direct
    direct_closing: Closing | None = None  # the direct path, after a switch to proxy


def is_agent_name(name: str) -> bool:
    """Whether an agent may be called so: what every part of the protocol takes and shows."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


class Membership(Protocol):
    """Each call that asks the proxy raises ProblemError in words for a person; each deed is written into the audit log."""

    def standing(self) -> Standing:
        """How things stand now."""

    async def state(self) -> State:
        """The organisation as the proxy tells it: agents with their keys, backlog, quota. Asks the proxy."""

    async def pair(self, code: str, url: str, *, name: str, actor: str) -> str:
        """Pair; the recovery key, to be shown once and kept nowhere here, or empty when another agent was first."""

    async def approve(self, agent_id: str, compared: str, *, actor: str) -> None:
        """Hand the organisation's key to an agent whose fingerprint a person compared."""

    async def recover(self, recovery_key: str, *, actor: str) -> None:
        """Get the organisation's key by the recovery key."""

    async def take_over(self, agent_id: str, *, actor: str) -> int:
        """Queue again what another agent took and did not settle; how many. They may run twice."""

    async def seek(self, to: int, *, actor: str) -> int:
        """Queue again what was acknowledged after `to`; how many."""

    async def leave(self, *, anyway: bool, actor: str) -> None:
        """Unpair."""

    async def rotate(self, touchpoint: str, *, actor: str) -> None:
        """A new endpoint URL for a touchpoint; the old one is answered for a while."""

    async def settle_left(self, *, run: bool, actor: str) -> int:
        """Run what a former pairing left, or forget it; how many events."""

    async def dismiss_restored(self, *, actor: str) -> None:
        """A person has compared what ran here while the proxy was restored: it needs nobody any more."""

    async def close_old(self, which: str, *, actor: str) -> None:
        """Close an old way in now: `direct` or `proxy`."""

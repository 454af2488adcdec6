"""The smaller things that agent and proxy say to each other: what each call of the pull API carries, as values."""

from dataclasses import dataclass, field

from touchpoints.moment import Micros
from touchpoints.pull.message import Backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """POST /v1/acknowledge: everything up to `to`, stored under `epoch`, is safe at the agent. Answered with `Acknowledged`."""

    incarnation: str
    epoch: int
    to: int
    id: str = ""  # the event's whose seq is `to`: where it was another, the proxy was restored; empty: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """POST /v1/release: another agent may take over at once. Answered with `Done`."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """POST /v1/approve: a person compared the fingerprint; the organisation's private key, wrapped for that agent."""

    agent_id: str
    wrapped_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer:
    """GET /v1/key: this agent's state, and the organisation's private key wrapped for it; empty: nobody approved it yet.

    `challenge`, for an agent that waits, is what only the organisation's private key opens (`sealing.unwrap_challenge`).
    """

    state: str  # waiting | ready
    wrapped_key: bytes = field(default=b"", repr=False)
    challenge: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """POST /v1/ready: what the challenge held, which proves that this agent has the organisation's private key."""

    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAnswer:
    """GET /v1/recovery: the organisation's private key under the recovery key, which the proxy never sees."""

    sealing_key: bytes
    recovery_box: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """POST /v1/renew: a new signing key, and the proof that the agent has its private half (`proof.sign_renewal`)."""

    new_key: bytes
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """POST /v1/take-over: queue again what that agent acknowledged and did not settle. Answered with `Done`."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seek:
    """POST /v1/seek: queue again what was acknowledged after position `to`. Answered with `Done`."""

    to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """PUT /v1/declaration's answer: the digest of the declaration that counts now, and whether that is the one sent."""

    digest: str
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The answer of calls that only do something; `events`: how many it concerned."""

    events: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAgent:
    """One agent of the organisation, as the proxy tells it to the others.

    The fingerprint is never taken from the proxy: reckon it from both keys (`pairing.fingerprint`).
    """

    id: str
    name: str
    state: str  # waiting | ready | revoked
    signing_key: bytes
    exchange_key: bytes
    version: str = ""
    paired_at: Micros = 0
    last_seen_at: Micros = 0
    holds_lease: bool = False
    lacking: tuple[str, ...] = ()  # declared touchpoints, or their secrets, that it lacks
    unsettled: int = 0  # events it acknowledged and has not settled


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """GET /v1/state."""

    organisation: int
    domain: str
    incarnation: str
    acknowledged: int  # the lane's position
    next_seq: int
    agents: tuple[StateAgent, ...] = ()
    backlog: Backlog = field(default_factory=Backlog)
    quota_events: int = 0
    quota_bytes: int = 0
    declaration: str = ""  # digest of the one that counts
    notices: tuple[str, ...] = ()  # problem codes
    gap: tuple[int, int] | None = None
    now: Micros = 0  # the proxy's clock: shown beside our own, never relied on

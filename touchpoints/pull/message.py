"""What travels between proxy and agent: sealed events, batches of them, questions that cannot wait, and their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from touchpoints.event import Headers
from touchpoints.moment import Micros

VERSION = 1
CANNOT_ANSWER = 404  # the status of a Reply to a request that is no handshake to the agent
CANNOT_NOW = 503  # of one that is, and cannot be answered just now: its sender comes again


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One received webhook as it rests at the proxy and travels: only its organisation's agents can open it."""

    seq: int  # the organisation's own number, in order of receipt; never used again
    id: str  # 26 characters, made by the proxy; an agent's inbox knows an event by it
    received_at: Micros  # the proxy's clock; also inside, where the seal protects it
    key_id: str  # the data key it is sealed with, see `Batch.keys`
    digest: bytes  # SHA-256 of `data`
    data: bytes = field(repr=False)  # nonce and ciphertext of the packed request


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request whose sender waits for the agent's answer, such as a challenge; sealed like an event, never stored."""

    id: str
    key_id: str
    data: bytes = field(repr=False)
    seconds: float  # how long the sender still waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The agent's answer to an ask."""

    id: str
    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What still waits at the proxy for an organisation."""

    events: int = 0
    bytes: int = 0
    oldest: Micros = 0  # receipt of the oldest; 0: nothing waits


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What an agent asks with. Positions are `seq`; 0 stands for none yet."""

    incarnation: str = ""  # of the proxy, as last heard; empty: never
    epoch: int = 0  # of the lease this agent believes to hold; 0: none
    after: int = 0  # the last seq it stored; messages after it are wanted
    seen: int = 0  # the highest seq it ever saw in this incarnation: a proxy that is behind it was restored
    seen_id: str = ""  # the event's of that seq: a proxy that gave the number to another event was restored; empty: not known
    limit: int = 256
    max_bytes: int = 8 * 1024 * 1024
    wait: float = 25.0  # seconds; the proxy may answer earlier
    linger: float = 0.0  # seconds to gather more once something is there; 0: answer at once
    settled: int = 0  # everything up to this seq is settled at this agent
    unsettled: int = 0  # events it acknowledged and has not settled
    paused: str = ""  # why it takes nothing now, e.g. disk_full; the proxy then only renews the lease and asks
    lacking: tuple[str, ...] = ()  # declared touchpoints, or their secrets, that this agent lacks, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a pull is answered with. `epoch` 0: another agent holds the lease (`holder`), or this one waits for its key."""

    incarnation: str
    epoch: int
    lease_seconds: float  # relative, so that no clock is compared
    acknowledged: int  # the lane's acknowledged position
    messages: tuple[Sealed, ...] = ()
    keys: Mapping[str, bytes] = field(default_factory=dict)  # data keys of messages and asks, wrapped for the organisation
    asks: tuple[Ask, ...] = ()
    backlog: Backlog = Backlog()
    more: bool = False  # the next pull would not wait
    holder: str = ""  # name of the agent that holds the lease, when it is another
    declaration: str = ""  # digest of the declaration that counts now
    notices: tuple[str, ...] = ()  # problem codes for the technician: quota_half, quota_near, quota_reached, gap …
    gap: tuple[int, int] | None = None  # seqs (first, last) that a restored proxy cannot recover


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What an acknowledgement comes to.

    `accepted`: everything up to `position` may be executed by whoever stored it under `epoch`. Not accepted: the lease of
    `epoch` is lost; what was stored under it up to `position` may be executed, what lies after it must be dropped, because
    another agent gets it. `known` False: a restored proxy knows nothing of that incarnation or epoch.
    """

    accepted: bool
    incarnation: str
    epoch: int
    position: int
    known: bool = True

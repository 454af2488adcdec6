"""The touchpoint: one source, its rules, its destinations. These values come from `touchpoints.definition`, already checked."""

from dataclasses import dataclass, field
from enum import StrEnum

from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros


class TouchpointState(StrEnum):
    """What a touchpoint does with what comes in. `SETUP` is derived: running, but without a secret it needs."""

    RUNNING = "running"
    HOLD = "hold"  # still accepts; its deliveries wait
    DISABLED = "disabled"  # answers like an unknown one
    SETUP = "setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How a sender is proved: one row of the provider table, or the fields of `[touchpoint.verify]`.

    `signature`, `timestamp`, `message_id` and `credential` are selectors, alternatives divided by `|`.
    `signed` is a template over `{body} {ts} {id} {url} {method} {path_query}` and selectors.
    """

    scheme: str = "hmac"  # hmac | token | basic | none
    signature: str = ""
    algorithm: str = "sha256"  # sha1 | sha256 | sha512
    encoding: str = "hex"  # hex | base64
    prefix: str = ""
    layout: str = "plain"  # plain | csvkv:KEY | spacelist:TAG
    signed: str = "{body}"
    key: str = "utf8"  # utf8 | hex | base64 | whsec
    timestamp: str = ""  # selector with a unit, e.g. header:webhook-timestamp:s; empty: none
    message_id: str = ""
    tolerance: Micros = 5 * MINUTE
    credential: str = ""  # token: where the credential stands, e.g. header:X-Key or query:code
    allow_unsigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    """Where the dedup key stands: selectors divided by `|`, `body`, or empty for no dedup."""

    key: str = ""
    signed: bool = True  # False: the key stands outside what the signature covers
    window: Micros = 14 * DAY


STANDARD_SCHEDULE: tuple[Micros, ...] = (
    5 * SECOND,
    30 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a failed delivery is tried again; after the last span it is given up."""

    schedule: tuple[Micros, ...] = STANDARD_SCHEDULE
    spread: float = 0.2  # each span is lengthened or shortened by up to this part


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How Hookport proves itself to an HTTP destination."""

    kind: str  # basic | bearer | api_key
    username: str = ""  # basic
    secret: str = field(default="", repr=False)  # password, token or key
    name: str = ""  # api_key: the header's or parameter's name
    place: str = "header"  # api_key: header | query


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDestination:
    """An HTTP endpoint that gets the original body."""

    id: int
    name: str
    url: str = field(repr=False)  # may hold a token
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    auth: Auth | None = None
    timeout: Micros = 30 * SECOND  # in all: connecting, sending, waiting and reading
    ca: str = ""  # PEM file of a private certificate authority; empty: the system's
    proxy: str = field(default="", repr=False)  # URL; "" takes HTTP(S)_PROXY and NO_PROXY, "none" takes no proxy
    concurrency: int = 16
    sign: str = field(default="", repr=False)  # whsec_ secret: sign what we send by Standard Webhooks
    kind: str = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDestination:
    """A folder that gets each event as a file."""

    id: int
    name: str
    path: str
    metadata: bool = False
    concurrency: int = 4
    kind: str = "folder"


Destination = HttpDestination | FolderDestination


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """One source, its rules, its destinations; secrets are in clear here and nowhere else."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()
    provider: str = "generic"
    state: TouchpointState = TouchpointState.RUNNING
    secrets: tuple[str, ...] = field(default=(), repr=False)
    verify_token: str = field(default="", repr=False)
    public_url: str = ""
    events: tuple[str, ...] = ()  # accepted event types; empty: all
    reference: str = ""  # selector
    event_type: str = ""  # selector
    verification: Verification = Verification()
    dedup: Dedup = Dedup()
    retry: Retry = Retry()
    handshake: str = ""  # handshake kind and its argument, from the provider table; empty: none
    methods: tuple[str, ...] = ("POST",)
    destinations: tuple[Destination, ...] = ()

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
    """How a sender is proved: `verify` of a provider's file, or the fields of `[touchpoint.verify]`.

    `signature`, `timestamp`, `message_id`, `credential`, `key_id` and `key_url` are selectors, alternatives divided by `|`.
    `signed` is a template: see touchpoints.template.
    Which fields a scheme reads is said in its file under `verifiers/`.
    """

    scheme: str = "hmac"  # see touchpoints.verification.VERIFIERS
    signature: str = ""
    algorithm: str = "sha256"  # hmac, hash: sha1 | sha256 | sha512; asymmetric: rsa-sha256 | ecdsa-sha256 | ed25519 …
    encoding: str = "hex"  # hex | base64 | base64url | any (hex or base64)
    prefix: str = ""
    layout: str = "plain"  # plain | many | csvkv:KEY | spacelist:TAG | numbered:HEADER-PREFIX
    signed: str = "{body}"
    key: str = "utf8"  # utf8 | hex | base64 | whsec | sha1; asymmetric: pem | spki | whpk | published:KIND
    timestamp: str = ""  # selector with a unit (s, ms, iso), e.g. header:webhook-timestamp:s; empty: none
    message_id: str = ""
    tolerance: Micros = 5 * MINUTE
    credential: str = ""  # token: where the credential stands, e.g. header:X-Key or query:code
    allow_unsigned: bool = False
    key_id: str = ""  # which of the published keys signed
    key_url: str = ""  # where a published key stands: a selector, or const:URL
    key_hosts: tuple[str, ...] = ()  # the only hosts a published key is fetched from: names; * is one label
    audience: str = ""  # jwt: what `aud` must hold, a template; empty: not compared
    issuer: str = ""  # jwt: what `iss` must be, likewise
    claims: tuple[str, ...] = ()  # jwt: what else must be claimed, `name=template` each; `a|b=…`: either name
    when: str = ""  # SELECTOR=TEXT: only requests with that very value are meant, where a touchpoint has alternatives
    secret_form: str = ""  # regular expression: the only secrets this verification takes, where a touchpoint has alternatives
    or_next: bool = False  # what it refuses may the next alternative prove, by a key of the same sender


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
    link_local: tuple[str, ...] = ()  # addresses that are refused unless they stand here
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
    alternatives: tuple[Verification, ...] = ()  # tried where the first does not apply: see touchpoints.verification.verify
    dedup: Dedup = Dedup()
    retry: Retry = Retry()
    handshake: str = ""  # `kind:argument`, several divided by `|`, from the provider's file; empty: none
    methods: tuple[str, ...] = ("POST",)  # by which events come; a handshake's own are added by its kind
    ack: str = "empty"  # the name of the answer to an accepted event: see touchpoints.ack
    split: str | None = None  # JSON pointer of the list whose items become events of their own; None: the body is one event
    networks: tuple[str, ...] = ()  # CIDRs: the only addresses that may send; empty: all
    client_certificates: tuple[str, ...] = ()  # SHA-256 in hex: the only TLS clients that may send; empty: all
    destinations: tuple[Destination, ...] = ()

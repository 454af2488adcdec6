"""The shapes of the API's answers, which are also those of every `--json`. Keys are only ever added; times are RFC 3339 UTC."""

from typing import NotRequired, TypedDict


class ProblemShape(TypedDict):
    """One thing that is wrong, and how it is mended."""

    code: str
    text: str
    mend: str
    path: str


class Problems(TypedDict):
    """The answer to everything that was not done."""

    problems: list[ProblemShape]


class Checked(TypedDict):
    """Whether each file reads from end to end."""

    configuration: bool
    events: bool


class PathState(TypedDict):
    """The direct path: its public listener."""

    state: str
    address: str | None
    url: str | None
    error: str | None


class ProxyState(TypedDict):
    """The path through a proxy."""

    state: str
    url: str | None
    domain: str | None
    last_poll_at: str | None
    waiting: int | None
    agent: str | None
    holder: str | None
    error: str | None


class BacklogState(TypedDict):
    """What is not settled; null while the events file cannot be used."""

    inbox: int | None
    outbox: int | None
    held: int | None
    oldest_seconds: int | None


class Need(TypedDict):
    """Something that waits for a person."""

    code: str
    count: int
    text: str
    mend: str  # the end of text: what to do
    touchpoint: str | None
    destination: str | None


class Status(TypedDict):
    """How the agent fares."""

    version: str
    role: str
    running: bool
    ok: bool
    mode: str | None
    data_dir: str
    page: str | None
    direct: PathState
    proxy: ProxyState
    backlog: BacklogState
    needs_you: list[Need]


class EndpointUrls(TypedDict):
    """What a person pastes into the web application; null where that path is off, and `proxy` also for scope read."""

    direct: str | None
    proxy: str | None


class DestinationState(TypedDict):
    """A destination of a touchpoint."""

    name: str
    kind: str
    state: str
    pending: int
    given_up: int


class TouchpointState(TypedDict):
    """A touchpoint; its state is running, hold, disabled or setup."""

    name: str
    provider: str
    state: str
    endpoint_urls: EndpointUrls
    destinations: list[DestinationState]
    last_event_at: str | None


class TouchpointList(TypedDict):
    """All touchpoints."""

    touchpoints: list[TouchpointState]


class ChangeShape(TypedDict):
    """One line of what was or would be changed; `what` is added, changed or removed."""

    path: str
    what: str


class AppliedShape(TypedDict):
    """What a change of the configuration came to."""

    dry_run: bool
    changes: list[ChangeShape]


class ConfigurationText(TypedDict):
    """The whole configuration as TOML, secrets as fingerprints."""

    toml: str


class DeliveryShape(TypedDict):
    """One event on its way to one destination."""

    id: str
    destination: str
    run: int
    state: str
    attempts: int
    due_at: str | None


class EventShape(TypedDict):
    """One received webhook."""

    id: str
    received_at: str
    touchpoint: str
    provider: str
    event_type: str
    reference: str | None
    dedup_key: str | None
    arrived_by: str
    verdict: str
    reason: str
    waiting: bool
    duplicate_of: str | None
    item_of: str | None
    flags: list[str]
    test: bool
    method: str
    remote: str
    body_bytes: int
    deliveries: list[DeliveryShape]


class EventList(TypedDict):
    """A page of events, newest first; pass `next_before` as `before` for the next page."""

    events: list[EventShape]
    next_before: int | None


class AttemptShape(TypedDict):
    """One try at a delivery. `answer` is the beginning of what the destination said."""

    delivery_id: str
    number: int
    started_at: str
    duration_ms: float
    outcome: str
    http_status: int | None
    error_code: str
    error: str
    answer: str
    next_attempt_at: str | None


class BodyShape(TypedDict):
    """The body: `text` when it is UTF-8, else `base64`; both null above 256 KiB (fetch it by itself) and when it was pruned."""

    bytes: int
    sha256: str
    stored: bool
    text: str | None
    base64: str | None


class EventShown(TypedDict):
    """One event with everything that happened to it. Credentials in `target` and `headers` are hidden."""

    event: EventShape
    target: str
    headers: list[tuple[str, str]]
    attempts: list[AttemptShape]
    duplicates: list[str]
    items: list[str]
    body: BodyShape


class DoneShape(TypedDict):
    """What an action did, or would do. `ids` are the first hundred changed; with `more`, call again."""

    action: str
    dry_run: bool
    matched: int
    changed: int
    skipped: int
    ids: list[str]
    more: bool


class TokenShape(TypedDict):
    """An API token, never its value."""

    name: str
    scope: str
    created_at: str
    last_used_at: str | None


class TokenList(TypedDict):
    """All API tokens."""

    tokens: list[TokenShape]


class NewToken(TypedDict):
    """A new API token; its value is shown this once."""

    name: str
    scope: str
    token: str


class RevokedToken(TypedDict):
    """An API token that is no more."""

    revoked: str


class FreshLink(TypedDict):
    """The one-time link; null where no process runs, which then prints one at its next start."""

    link: str | None


class AuditShape(TypedDict):
    """Who did what."""

    number: int
    at: str
    actor: str
    action: str
    detail: str


class AuditList(TypedDict):
    """A page of the audit log, newest first; pass `next_before` as `before` for the next page."""

    audit: list[AuditShape]
    next_before: int | None


class Health(TypedDict):
    """That the process answers; `migrating` is there while an older file of events is brought up to date."""

    ok: bool
    migrating: NotRequired[bool]

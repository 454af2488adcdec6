"""The JSON shape of everything that agent and proxy say: a rule for each field of each value."""

import re

from touchpoints.ack import ACKS
from touchpoints.event import Headers
from touchpoints.name import is_valid_name
from touchpoints.pull.call import (
    Acknowledge,
    Approve,
    Declared,
    Done,
    KeyAnswer,
    Ready,
    RecoveryAnswer,
    Release,
    Renew,
    Seek,
    State,
    StateAgent,
    TakeOver,
)
from touchpoints.pull.crockford import ALPHABET
from touchpoints.pull.declaration import (
    MOST_ALIASES,
    MOST_METHODS,
    MOST_TOKENS,
    MOST_TOUCHPOINTS,
    Declaration,
    DeclaredToken,
    DeclaredTouchpoint,
    check_declaration,
)
from touchpoints.pull.key import KEY, is_exchange_key
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import Acknowledged, Ask, Backlog, PullRequest, Reply, Sealed
from touchpoints.pull.pairing import FIND, NONCE, PairAnswer, PairRequest, fingerprint
from touchpoints.pull.rule import Rule, data, flag, label, many, record, seconds, span, table, text, whole, words, write_fields

LARGEST_BATCH = 256 * 1024 * 1024  # bytes in all; a proxy stays far below, unless a single event is so large
MOST_MESSAGES = 4096
MOST_ASKS = 64
MOST_AGENTS = 1000
LONGEST_REPLY = 64 * 1024
LONGEST_NAME = 100  # characters of an agent's
LARGEST_WRAP = 1024  # bytes of a wrapped key or token, or of a recovery box

# An agent's reply is served from the host that all organisations share: no cookie, no redirect, nothing that a browser runs.
REPLY_HEADERS = frozenset(
    {b"content-type", b"x-content-type-options", b"webhook-allowed-origin", b"webhook-allowed-rate", b"x-hook-secret"}
)
_REPLY_TYPE = re.compile(rb"(text/plain|application/json)(; ?charset=utf-8)?", re.IGNORECASE)
_REPLY_VALUE = re.compile(rb"[\x20-\x7e]{0,1024}")

_ID = text(re.compile(r"[0-9A-Za-z_-]{1,64}"))
_ID_OR_NONE = text(re.compile(r"[0-9A-Za-z_-]{0,64}"))
_CODE = text(re.compile(r"[a-z][a-z0-9_]{0,63}"))
_CODE_OR_NONE = text(re.compile(r"([a-z][a-z0-9_]{0,63})?"))
_DIGEST_OR_NONE = text(re.compile(r"([0-9a-f]{64})?"))
_DOMAIN = text(re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"))
_VERSION = text(re.compile(r"[0-9A-Za-z.+-]{0,64}"))
_AGENT_STATE = text(re.compile(r"waiting|ready|revoked"))
_PAIR_STATE = text(re.compile(r"waiting|ready"))
_NOTICES = many(_CODE, 64)
_KEY = data(KEY, KEY)
_SEAL_FOR = data(KEY, KEY, fits=is_exchange_key)
_DIGEST = data(32, 32)
_WRAPPED = data(1, LARGEST_WRAP)
_WRAPPED_OR_NONE = data(0, LARGEST_WRAP)


def _read_name(value: object) -> str:
    if not isinstance(value, str) or not is_valid_name(value):
        raise PullMalformed("not a touchpoint's name")
    return value


def _read_headers(value: object) -> Headers:
    pairs = _PAIRS.read(value)
    headers = tuple((name.encode(), content.encode()) for name, content in pairs)
    for name, content in headers:
        if name not in REPLY_HEADERS or _REPLY_VALUE.fullmatch(content) is None:
            raise PullMalformed("a header that a reply may not have")
        if name == b"content-type" and _REPLY_TYPE.fullmatch(content) is None:
            raise PullMalformed("a content type that a reply may not have")
    return headers


def _read_ack(value: object) -> str:
    if not isinstance(value, str) or value not in ACKS:
        raise PullMalformed("an answer to events that this program does not know")
    return value


_NAME = Rule(_read_name)
_PAIRS = many(many(label(1024), 2, least=2), 16)
_HEADERS = Rule(_read_headers, lambda value: [[name.decode("latin-1"), content.decode("latin-1")] for name, content in value])
_LACKING = many(_NAME, MOST_TOUCHPOINTS)

BACKLOG = record(Backlog, {"events": whole(), "bytes": whole(), "oldest": whole()})

MESSAGE_HEAD = {"seq": whole(1), "id": _ID, "received_at": whole(), "key_id": _ID, "digest": _DIGEST}
ASK_HEAD = {"id": _ID, "key_id": _ID, "seconds": seconds(60)}
MESSAGE = record(Sealed, {**MESSAGE_HEAD, "data": data(0, LARGEST_BATCH)})
ASK = record(Ask, {**ASK_HEAD, "data": data(0, LARGEST_BATCH)})
BATCH_HEAD = {
    "incarnation": _ID,
    "epoch": whole(),
    "lease_seconds": seconds(3600),
    "acknowledged": whole(),
    "keys": table(_ID, _WRAPPED, MOST_MESSAGES + MOST_ASKS),
    "backlog": BACKLOG,
    "more": flag(),
    "holder": label(LONGEST_NAME),
    "declaration": _DIGEST_OR_NONE,
    "notices": _NOTICES,
    "gap": span(),
}

_TOKEN = record(DeclaredToken, {"digest": _DIGEST, "sealed": _WRAPPED, "retiring": flag()})
_TOUCHPOINT = record(
    DeclaredTouchpoint,
    {
        "name": _NAME,
        "aliases": many(_NAME, MOST_ALIASES),
        "state": text(re.compile(r"running|hold|setup|disabled")),
        "methods": many(text(re.compile(r"[A-Z]{1,16}")), MOST_METHODS, least=1),
        "ack": Rule(_read_ack),
        "handshake": text(re.compile(r"[ -~]{0,256}")),
        "tokens": many(_TOKEN, MOST_TOKENS),
    },
)

_AGENT_RULES = {
    "id": _ID,
    "name": label(LONGEST_NAME, shortest=1),
    "state": _AGENT_STATE,
    "signing_key": _KEY,
    "exchange_key": _SEAL_FOR,
    "version": words(64),  # told by another agent, whatever it may be
    "paired_at": whole(),
    "last_seen_at": whole(),
    "holds_lease": flag(),
    "lacking": _LACKING,
    "unsettled": whole(),
}
_AGENT_READ = record(StateAgent, _AGENT_RULES)


def _write_agent(agent: StateAgent) -> dict[str, object]:
    """With the fingerprint, for who reads it with curl; it is passed over when read."""
    return {**write_fields(_AGENT_RULES, agent), "fingerprint": fingerprint(agent.signing_key, agent.exchange_key)}


SHAPES: dict[type, Rule] = {
    PullRequest: record(
        PullRequest,
        {
            "incarnation": _ID_OR_NONE,
            "epoch": whole(),
            "after": whole(),
            "seen": whole(),
            "seen_id": _ID_OR_NONE,
            "limit": whole(1, MOST_MESSAGES),
            "max_bytes": whole(1, LARGEST_BATCH),
            "wait": seconds(3600),
            "linger": seconds(60),
            "settled": whole(),
            "unsettled": whole(),
            "paused": _CODE_OR_NONE,
            "lacking": _LACKING,
        },
    ),
    Acknowledge: record(Acknowledge, {"incarnation": _ID, "epoch": whole(1), "to": whole(), "id": _ID_OR_NONE}),
    Acknowledged: record(
        Acknowledged,
        {"accepted": flag(), "incarnation": _ID, "epoch": whole(), "position": whole(), "known": flag()},
    ),
    Release: record(Release, {"epoch": whole(1)}),
    Reply: record(Reply, {"id": _ID, "status": whole(200, 599), "headers": _HEADERS, "body": data(0, LONGEST_REPLY)}),
    Declaration: record(Declaration, {"touchpoints": many(_TOUCHPOINT, MOST_TOUCHPOINTS)}, check=check_declaration),
    Declared: record(Declared, {"digest": _DIGEST_OR_NONE, "counts": flag()}),
    Done: record(Done, {"events": whole()}),
    Approve: record(Approve, {"agent_id": _ID, "wrapped_key": _WRAPPED}),
    KeyAnswer: record(KeyAnswer, {"state": _PAIR_STATE, "wrapped_key": _WRAPPED_OR_NONE, "challenge": _WRAPPED_OR_NONE}),
    Ready: record(Ready, {"secret": _DIGEST}),
    RecoveryAnswer: record(RecoveryAnswer, {"sealing_key": _SEAL_FOR, "recovery_box": _WRAPPED}),
    Renew: record(Renew, {"new_key": _KEY, "proof": data(64, 64)}),
    TakeOver: record(TakeOver, {"agent_id": _ID}),
    Seek: record(Seek, {"to": whole()}),
    State: record(
        State,
        {
            "organisation": whole(1),
            "domain": _DOMAIN,
            "incarnation": _ID,
            "acknowledged": whole(),
            "next_seq": whole(),
            "agents": many(Rule(_AGENT_READ.read, _write_agent), MOST_AGENTS),
            "backlog": BACKLOG,
            "quota_events": whole(),
            "quota_bytes": whole(),
            "declaration": _DIGEST_OR_NONE,
            "notices": _NOTICES,
            "gap": span(),
            "now": whole(),
        },
    ),
    PairRequest: record(
        PairRequest,
        {
            "find": text(re.compile(rf"[{ALPHABET}]{{{FIND}}}")),
            "name": label(LONGEST_NAME, shortest=1),
            "version": _VERSION,
            "nonce": data(NONCE, NONCE),
            "signing_key": _KEY,
            "exchange_key": _SEAL_FOR,
            "sealing_key": _SEAL_FOR,
            "recovery_box": _WRAPPED,
            "proof": data(32, 32),
        },
    ),
    PairAnswer: record(
        PairAnswer,
        {
            "agent_id": _ID,
            "organisation": whole(1),
            "domain": _DOMAIN,
            "state": _PAIR_STATE,
            "sealing_key": _SEAL_FOR,
            "proxy_key": _KEY,
            "wildcard": flag(),
            "nonce": data(NONCE, NONCE),
            "proof": data(32, 32),
        },
    ),
}

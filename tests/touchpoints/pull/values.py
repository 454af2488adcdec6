"""Hypothesis strategies for everything that agent and proxy say."""

import string

from hypothesis import strategies as st

from touchpoints.ack import ACKS
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
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint
from touchpoints.pull.key import is_exchange_key
from touchpoints.pull.message import Acknowledged, Ask, Backlog, Batch, PullRequest, Reply, Sealed
from touchpoints.pull.packed import Packed
from touchpoints.pull.pairing import PairAnswer, PairRequest

NUMBERS = st.integers(0, 2**63 - 1)
SEQS = st.integers(1, 2**63 - 1)
IDS = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=64)
CODES = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True).filter(is_valid_name)
LABELS = st.text(max_size=100).filter(str.isprintable)
TITLES = LABELS.filter(bool)
KEYS = st.binary(min_size=32, max_size=32)
SEAL_KEYS = KEYS.filter(is_exchange_key)
WRAPPED = st.binary(min_size=1, max_size=200)
DIGESTS = st.binary(min_size=32, max_size=32)
HEX = st.one_of(st.just(""), DIGESTS.map(bytes.hex))
DATA = st.binary(max_size=300)
VERSIONS = st.text(string.ascii_letters + string.digits + ".+-", max_size=64)
DOMAINS = st.from_regex(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", fullmatch=True)
GAPS = st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair))))
BACKLOGS = st.builds(Backlog, events=NUMBERS, bytes=NUMBERS, oldest=NUMBERS)
LACKING = st.lists(NAMES, max_size=4).map(tuple)
NOTICES = st.lists(CODES, max_size=4).map(tuple)

SEALED = st.builds(Sealed, seq=SEQS, id=IDS, received_at=NUMBERS, key_id=IDS, digest=DIGESTS, data=DATA)
MESSAGES = st.lists(SEALED, max_size=5, unique_by=lambda one: one.seq).map(
    lambda found: tuple(sorted(found, key=lambda one: one.seq))
)
ASKS = st.lists(st.builds(Ask, id=IDS, key_id=IDS, data=DATA, seconds=st.floats(0, 60)), max_size=3).map(tuple)
BATCHES = st.builds(
    Batch,
    incarnation=IDS,
    epoch=NUMBERS,
    lease_seconds=st.floats(0, 3600),
    acknowledged=NUMBERS,
    messages=MESSAGES,
    keys=st.dictionaries(IDS, WRAPPED, max_size=4),
    asks=ASKS,
    backlog=BACKLOGS,
    more=st.booleans(),
    holder=LABELS,
    declaration=HEX,
    notices=NOTICES,
    gap=GAPS,
)

_REPLY_VALUES = st.text(string.printable[:95], max_size=60).map(str.encode)
_REPLY_HEADERS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"x-hook-secret", b"webhook-allowed-origin"]), _REPLY_VALUES),
        st.tuples(st.just(b"content-type"), st.sampled_from([b"text/plain", b"application/json; charset=utf-8"])),
    ),
    max_size=4,
).map(tuple)

_TOKENS = st.builds(DeclaredToken, digest=DIGESTS, sealed=WRAPPED, retiring=st.booleans())
_TOUCHPOINTS = st.builds(
    DeclaredTouchpoint,
    name=NAMES,
    aliases=st.lists(NAMES, max_size=3).map(tuple),
    state=st.sampled_from(["running", "hold", "setup", "disabled"]),
    methods=st.lists(st.sampled_from(["POST", "GET", "PUT"]), min_size=1, max_size=3).map(tuple),
    ack=st.sampled_from(sorted(ACKS)),
    handshake=st.sampled_from(["", "json_challenge:url_verification"]),
    tokens=st.lists(_TOKENS, max_size=3).map(tuple),
)


def _is_unique(declaration: Declaration) -> bool:
    names = [name for one in declaration.touchpoints for name in (one.name, *one.aliases)]
    digests = [token.digest for one in declaration.touchpoints for token in one.tokens]
    return len(names) == len(set(names)) and len(digests) == len(set(digests))


DECLARATIONS = st.builds(Declaration, touchpoints=st.lists(_TOUCHPOINTS, max_size=4).map(tuple)).filter(_is_unique)
NONCES = st.binary(min_size=16, max_size=16)
PAIR_REQUESTS = st.builds(
    PairRequest,
    find=st.text(ALPHABET, min_size=4, max_size=4),
    name=TITLES,
    version=VERSIONS,
    nonce=NONCES,
    signing_key=KEYS,
    exchange_key=SEAL_KEYS,
    sealing_key=SEAL_KEYS,
    recovery_box=WRAPPED,
    proof=DIGESTS,
)
PAIR_ANSWERS = st.builds(
    PairAnswer,
    agent_id=IDS,
    organisation=SEQS,
    domain=DOMAINS,
    state=st.sampled_from(["ready", "waiting"]),
    sealing_key=SEAL_KEYS,
    proxy_key=KEYS,
    wildcard=st.booleans(),
    nonce=NONCES,
    proof=DIGESTS,
)
_AGENTS = st.builds(
    StateAgent,
    id=IDS,
    name=TITLES,
    state=st.sampled_from(["waiting", "ready", "revoked"]),
    signing_key=KEYS,
    exchange_key=SEAL_KEYS,
    version=VERSIONS,
    paired_at=NUMBERS,
    last_seen_at=NUMBERS,
    holds_lease=st.booleans(),
    lacking=LACKING,
    unsettled=NUMBERS,
)

BODIES: dict[type, st.SearchStrategy[object]] = {
    PullRequest: st.builds(
        PullRequest,
        incarnation=st.one_of(st.just(""), IDS),
        epoch=NUMBERS,
        after=NUMBERS,
        seen=NUMBERS,
        limit=st.integers(1, 4096),
        max_bytes=st.integers(1, 2**20),
        wait=st.floats(0, 3600),
        linger=st.floats(0, 60),
        settled=NUMBERS,
        unsettled=NUMBERS,
        paused=st.one_of(st.just(""), CODES),
        lacking=LACKING,
    ),
    Acknowledge: st.builds(Acknowledge, incarnation=IDS, epoch=SEQS, to=NUMBERS),
    Acknowledged: st.builds(
        Acknowledged, accepted=st.booleans(), incarnation=IDS, epoch=NUMBERS, position=NUMBERS, known=st.booleans()
    ),
    Release: st.builds(Release, epoch=SEQS),
    Reply: st.builds(Reply, id=IDS, status=st.integers(200, 599), headers=_REPLY_HEADERS, body=DATA),
    Declaration: DECLARATIONS,
    Declared: st.builds(Declared, digest=HEX, counts=st.booleans()),
    Done: st.builds(Done, events=NUMBERS),
    Approve: st.builds(Approve, agent_id=IDS, wrapped_key=WRAPPED),
    KeyAnswer: st.builds(KeyAnswer, state=st.sampled_from(["ready", "waiting"]), wrapped_key=DATA, challenge=DATA),
    Ready: st.builds(Ready, secret=KEYS),
    RecoveryAnswer: st.builds(RecoveryAnswer, sealing_key=SEAL_KEYS, recovery_box=WRAPPED),
    Renew: st.builds(Renew, new_key=KEYS, proof=st.binary(min_size=64, max_size=64)),
    TakeOver: st.builds(TakeOver, agent_id=IDS),
    Seek: st.builds(Seek, to=NUMBERS),
    State: st.builds(
        State,
        organisation=SEQS,
        domain=DOMAINS,
        incarnation=IDS,
        acknowledged=NUMBERS,
        next_seq=NUMBERS,
        agents=st.lists(_AGENTS, max_size=3).map(tuple),
        backlog=BACKLOGS,
        quota_events=NUMBERS,
        quota_bytes=NUMBERS,
        declaration=HEX,
        notices=NOTICES,
        gap=GAPS,
        now=NUMBERS,
    ),
    PairRequest: PAIR_REQUESTS,
    PairAnswer: PAIR_ANSWERS,
}

PACKED = st.builds(
    Packed,
    event_id=IDS,
    touchpoint=NAMES,
    method=st.sampled_from(["POST", "GET", "PUT", "M-SEARCH"]),
    target=st.text(st.characters(max_codepoint=255, blacklist_characters="\0\r\n"), max_size=200),
    headers=st.lists(
        st.tuples(*[st.binary(max_size=60).filter(lambda found: not set(found) & set(b"\0\r\n"))] * 2), max_size=8
    ).map(tuple),
    remote=st.sampled_from(["", "192.0.2.7", "2001:db8::1"]),
    received_at=NUMBERS,
    body=st.binary(max_size=400),
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | LABELS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LABELS, inner, max_size=4),
    max_leaves=8,
)

"""Bodies: whatever is said arrives as it was; whatever else arrives is refused in words, and never otherwise."""

from contextlib import suppress
from dataclasses import fields, replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.values import BODIES, JSON_VALUES, PAIR_REQUESTS
from touchpoints.problem import problem
from touchpoints.pull.body import LARGEST_BODY, decode, decode_problem, encode, encode_problem
from touchpoints.pull.call import Acknowledge, State, StateAgent
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import PullRequest, Reply
from touchpoints.pull.pairing import PairRequest, fingerprint
from touchpoints.pull.shape import REPLY_HEADERS, SHAPES

KINDS = st.sampled_from(sorted(SHAPES, key=lambda kind: kind.__name__))
ANY_BODY = KINDS.flatmap(lambda kind: BODIES[kind])


def refused(kind: type, body: bytes) -> str:
    with pytest.raises(PullMalformed) as raised:
        decode(kind, body)
    assert raised.value.problem.code == "pull_malformed"
    return raised.value.reason


def test_every_kind_is_tried() -> None:
    """No shape is left out of these tests."""
    assert BODIES.keys() == SHAPES.keys()


@given(ANY_BODY)
def test_bodies_arrive_as_they_were(value: object) -> None:
    """Each kind, each field."""
    assert decode(type(value), encode(value)) == value


@given(ANY_BODY, st.text(min_size=40, max_size=50), JSON_VALUES)
def test_unknown_keys_are_passed_over(value: object, key: str, content: object) -> None:
    """A later version may say more."""
    found = orjson.loads(encode(value))

    assert decode(type(value), orjson.dumps({**found, key: content})) == value


@given(KINDS, st.binary(max_size=60) | JSON_VALUES.map(orjson.dumps))
def test_anything_else_is_refused_in_words(kind: type, body: bytes) -> None:
    """Nothing but PullMalformed, whatever comes."""
    with suppress(PullMalformed):
        assert encode(decode(kind, body))


@given(ANY_BODY, st.data())
def test_a_field_of_another_form_is_refused_in_words(value: object, data: st.DataObject) -> None:
    """A value in each field's place, too deep to be met by chance."""
    found = orjson.loads(encode(value))
    name = data.draw(st.sampled_from(sorted(found)))
    found[name] = data.draw(JSON_VALUES)
    with suppress(PullMalformed):
        assert encode(decode(type(value), orjson.dumps(found)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epoch": 1.0}, "epoch"),
        ({"epoch": True}, "epoch"),
        ({"epoch": -1}, "epoch"),
        ({"epoch": 2**63}, "epoch"),
        ({"epoch": "1"}, "epoch"),
        ({"epoch": None}, "epoch"),
        ({"limit": 0}, "limit"),
        ({"limit": 4097}, "limit"),
        ({"wait": -0.1}, "wait"),
        ({"wait": True}, "wait"),
        ({"wait": 3601}, "wait"),
        ({"incarnation": "a b"}, "incarnation"),
        ({"incarnation": "a\n"}, "incarnation"),
        ({"incarnation": "a" * 65}, "incarnation"),
        ({"paused": "Disk"}, "paused"),
        ({"lacking": "orders"}, "lacking"),
        ({"lacking": ["../x"]}, "lacking"),
        ({"lacking": ["a"] * 2001}, "lacking"),
    ],
)
def test_what_a_pull_may_not_say(change: dict[str, object], reason: str) -> None:
    """Types and bounds are strict, and the reason names the field."""
    assert refused(PullRequest, orjson.dumps(change)).startswith(f"{reason}: ")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"1", b"{", b'{"a":1}x', b"\xff", b'{"epoch":1e400}', b"NaN", b"[" * 5000]
)
def test_what_is_no_object(body: bytes) -> None:
    """Neither JSON nor an object."""
    assert refused(Acknowledge, body)


def test_what_is_missing_is_named() -> None:
    """A field without a default must be there."""
    assert refused(Acknowledge, b'{"incarnation":"a","epoch":1}') == "to is missing"
    assert decode(PullRequest, b"{}") == PullRequest()


def test_a_body_is_bounded() -> None:
    """It is not even parsed above the limit."""
    assert str(LARGEST_BODY) in refused(Declaration, b" " * (LARGEST_BODY + 1))


@pytest.mark.parametrize(
    "header",
    [
        ["set-cookie", "a=b"],
        ["location", "https://example.com"],
        ["content-type", "text/html"],
        ["content-type", "text/plain; charset=utf-7"],
        ["Content-Type", "text/plain"],
        ["x-hook-secret", "a\r\nset-cookie: a"],
        ["x-hook-secret", "é"],
        ["x-hook-secret"],
        ["x-hook-secret", "a", "b"],
        ["x-hook-secret", 1],
    ],
)
def test_what_a_reply_may_not_carry(header: list[object]) -> None:
    """A hostile agent serves nothing to browsers from the host that all organisations share."""
    body = orjson.dumps({"id": "a", "status": 200, "headers": [header], "body": ""})

    assert refused(Reply, body).startswith("headers: ")
    assert b"set-cookie" not in REPLY_HEADERS


@pytest.mark.parametrize("text", ["x", "====", "AA=", "AAA", "A A=", "QUJD\n", "-_-_", "QUJDé"])
def test_what_is_no_base64(text: str) -> None:
    """Nothing is passed over in Base64."""
    assert refused(Reply, orjson.dumps({"id": "a", "status": 200, "body": text})).startswith("body: ")


@given(PAIR_REQUESTS)
def test_keys_that_seal_nothing_are_refused(request: PairRequest) -> None:
    """A point of small order gives everyone the same secret."""
    value = orjson.loads(encode(request))
    for weak in (bytes(32), bytes([1]) + bytes(31)):
        value["sealing_key"] = orjson.loads(encode(replace(Reply(id="a", status=200), body=weak)))["body"]
        assert refused(PairRequest, orjson.dumps(value)).startswith("sealing_key: ")


def test_the_proxy_does_not_choose_a_fingerprint() -> None:
    """It is there for people with curl, reckoned from the keys, and never read."""
    agent = StateAgent(id="a", name="till", state="ready", signing_key=b"s" * 32, exchange_key=b"e" * 32)
    state = State(organisation=1, domain="acme", incarnation="i", acknowledged=0, next_seq=1, agents=(agent,))
    found = orjson.loads(encode(state))
    assert found["agents"][0]["fingerprint"] == fingerprint(b"s" * 32, b"e" * 32)

    found["agents"][0]["fingerprint"] = "00000 00000 00000 00000 00000 00000"

    assert decode(State, orjson.dumps(found)) == state
    assert "fingerprint" not in {field.name for field in fields(StateAgent)}


def test_a_strange_version_spoils_nothing() -> None:
    """One agent cannot keep the others from seeing their organisation's state."""
    agent = StateAgent(
        id="a", name="till", state="ready", signing_key=b"s" * 32, exchange_key=b"e" * 32, version="a\x1b[2J/1 \xa0" + "b" * 99
    )
    state = State(organisation=1, domain="acme", incarnation="i", acknowledged=0, next_seq=1, agents=(agent,))

    version = decode(State, encode(state)).agents[0].version

    assert version.isprintable()
    assert len(version) == 64


def test_problems_arrive() -> None:
    """A code, its words and its mend."""
    told = problem("pull_malformed", reason="x")

    assert decode_problem(encode_problem(told)) == told


@given(st.binary(max_size=60) | JSON_VALUES.map(orjson.dumps))
def test_problems_of_any_form_are_read_or_refused(body: bytes) -> None:
    """Nothing but PullMalformed."""
    with suppress(PullMalformed):
        assert decode_problem(body).code


def test_words_of_a_hostile_proxy_are_tamed() -> None:
    """No control characters, no endless text; a code is a code."""
    told = decode_problem(orjson.dumps({"code": "gone", "text": "a\x1b[2J" + "b" * 5000, "mend": 7}))

    assert told.text.isprintable()
    assert len(told.text) == 1000
    assert told.mend == ""
    for code in ("", "a b", "a\n", "ä", "a" * 65, 5, None):
        with pytest.raises(PullMalformed):
            decode_problem(orjson.dumps({"code": code, "text": "", "mend": ""}))

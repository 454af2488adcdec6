"""Proofs: what was signed holds, and nothing that differs from it in one place does."""

import itertools
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.chance import chance
from touchpoints.pull.key import new_signing_key, signing_public
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.proof import (
    AGENT,
    CHALLENGE,
    COUNT,
    HIGHEST,
    SIGNATURE,
    WINDOW,
    Counts,
    RequestProof,
    answer_text,
    check_answer,
    check_renewal,
    check_request,
    new_challenge,
    read_proof,
    request_text,
    sign_answer,
    sign_renewal,
    sign_request,
)

PRIVATE = new_signing_key(chance("agent"))
PUBLIC = signing_public(PRIVATE)
OTHER = signing_public(new_signing_key(chance("other")))
SAID = {"agent": "agent-1", "method": "POST", "path": "/v1/pull?x=1", "challenge": "c-1", "count": 7, "body": b"body"}
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


def signed(**changes: object) -> RequestProof:
    return sign_request(PRIVATE, **{**SAID, **changes})  # type: ignore[arg-type]


def holds(
    proof: RequestProof, public: bytes = PUBLIC, method: str = "POST", path: str = "/v1/pull?x=1", body: bytes = b"body"
) -> bool:
    return check_request(public, proof, method=method, path=path, body=body)


def test_a_signed_request_holds() -> None:
    """Also after its headers have travelled."""
    proof = signed()

    assert holds(proof)
    assert read_proof(proof.headers()) == proof


def test_nothing_else_holds() -> None:
    """Every part is covered, and the key is the agent's."""
    proof = signed()

    assert not holds(proof, public=OTHER)
    assert not holds(proof, method="PUT")
    assert not holds(proof, path="/v1/pull?x=2")
    assert not holds(proof, body=b"Body")
    assert not holds(proof, path="/v1/pull?x=1\n")
    for other in (replace(proof, agent="agent-2"), replace(proof, challenge="c-2"), replace(proof, count=8)):
        assert not holds(other)


def test_each_changed_bit_of_a_signature_is_refused() -> None:
    """All 512."""
    proof = signed()
    for index, bit in itertools.product(range(64), range(8)):
        changed = bytearray(proof.signature)
        changed[index] ^= 1 << bit
        assert not holds(RequestProof(agent="agent-1", challenge="c-1", count=7, signature=bytes(changed)))


@pytest.mark.parametrize("public", [b"", b"short", bytes(32), b"\xff" * 32, b"x" * 33])
def test_a_key_of_another_form_proves_nothing(public: bytes) -> None:
    """No exception where a store gave something else."""
    assert not holds(signed(), public=public)
    assert not check_answer(public, "A" * 86 + "==", signature=b"", status=200, body=b"")
    assert not check_renewal(public, b"", agent="a", old_public=b"")


@given(VISIBLE, VISIBLE, VISIBLE, VISIBLE, st.integers(1, HIGHEST), st.binary(max_size=20))
def test_texts_differ_where_what_they_say_differs(
    agent: str, method: str, path: str, challenge: str, count: int, body: bytes
) -> None:
    """A canonical text is read back in one way only."""
    text = request_text(agent=agent, method=method, path=path, challenge=challenge, count=count, body=body)
    lines = text.decode().split("\n")

    assert lines[:6] == ["hookport-pull/1 request", agent, method, path, challenge, str(count)]
    assert len(lines) == 8
    assert lines[7] == ""


@pytest.mark.parametrize("value", ["a\nb", "a b", "\x00", "ä", "\x7f", "a\r", "\u2028"])
@pytest.mark.parametrize("name", ["agent", "method", "path", "challenge"])
def test_no_line_is_the_senders_to_add(name: str, value: str) -> None:
    """A value with a line's end would stand for two."""
    with pytest.raises(PullMalformed):
        signed(**{name: value})


def test_unsigned_requests_are_told_from_broken_ones() -> None:
    """Pairing is not signed; half a signature is an error."""
    headers = signed().headers()
    assert read_proof({}) is None
    assert read_proof({CHALLENGE: "c"}) is None
    for name in headers:
        rest = {key: value for key, value in headers.items() if key != name}
        with pytest.raises(PullMalformed):
            read_proof(rest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (AGENT, ""),
        (AGENT, "a b"),
        (AGENT, "a" * 65),
        (CHALLENGE, "c\n"),
        (COUNT, "0"),
        (COUNT, "-1"),
        (COUNT, "01"),
        (COUNT, "1.0"),
        (COUNT, "٣"),
        (COUNT, str(2**63)),
        (COUNT, "9" * 5000),
        (SIGNATURE, "A" * 88),
        (SIGNATURE, "A" * 85 + "==="),
        (SIGNATURE, "-" * 86 + "=="),
        (SIGNATURE, ""),
    ],
)
def test_headers_of_another_form_are_refused(name: str, value: str) -> None:
    """Strict, so that there is one way to write each."""
    with pytest.raises(PullMalformed) as raised:
        read_proof({**signed().headers(), name: value})
    assert name in raised.value.reason


@given(st.dictionaries(st.sampled_from([AGENT, CHALLENGE, COUNT, SIGNATURE]), st.text(max_size=90)))
def test_any_headers_are_read_or_refused(headers: dict[str, str]) -> None:
    """Nothing but PullMalformed."""
    with suppress(PullMalformed):
        assert read_proof(headers) is None or len(headers) == 4


def test_an_answer_holds_for_its_request_alone() -> None:
    """Another request, status, body or key: no. Pieces or whole: the same."""
    signature = signed().signature
    proof = sign_answer(PRIVATE, signature=signature, status=200, body=b"answer")

    assert check_answer(PUBLIC, proof, signature=signature, status=200, body=b"answer")
    assert proof == sign_answer(PRIVATE, signature=signature, status=200, body=[b"ans", b"", b"wer"])
    assert not check_answer(OTHER, proof, signature=signature, status=200, body=b"answer")
    assert not check_answer(PUBLIC, proof, signature=signed(count=8).signature, status=200, body=b"answer")
    assert not check_answer(PUBLIC, proof, signature=signature, status=201, body=b"answer")
    assert not check_answer(PUBLIC, proof, signature=signature, status=200, body=b"Answer")
    for index, character in enumerate(proof):
        changed = proof[:index] + ("A" if character != "A" else "B") + proof[index + 1 :]
        # The last character before the padding holds four bits that Base64 does not use.
        assert index == 85 or not check_answer(PUBLIC, changed, signature=signature, status=200, body=b"answer")


@given(st.text(max_size=100))
def test_any_proof_of_an_answer_is_only_wrong(proof: str) -> None:
    """The header is a stranger's until it is checked."""
    assert not check_answer(PUBLIC, proof, signature=b"s", status=200, body=b"")


def test_a_request_is_no_answer() -> None:
    """Texts of different sorts never agree."""
    assert request_text(agent="a", method="b", path="c", challenge="d", count=1, body=b"").startswith(
        b"hookport-pull/1 request\n"
    )
    assert answer_text(signature=b"a", status=200, body=b"").startswith(b"hookport-pull/1 answer\n")


def test_a_new_key_is_proved_by_its_private_half() -> None:
    """For this agent, in place of this key."""
    proof = sign_renewal(PRIVATE, agent="a", old_public=OTHER)

    assert check_renewal(PUBLIC, proof, agent="a", old_public=OTHER)
    assert not check_renewal(PUBLIC, proof, agent="b", old_public=OTHER)
    assert not check_renewal(PUBLIC, proof, agent="a", old_public=PUBLIC)
    assert not check_renewal(OTHER, proof, agent="a", old_public=OTHER)


def test_challenges_are_the_draws() -> None:
    """22 characters that a header takes."""
    draw = chance("challenge")
    assert {len(new_challenge(draw)) for _ in range(50)} == {22}
    assert signed(challenge=new_challenge(draw)).headers()[CHALLENGE]


@given(st.lists(st.integers(1, 3 * WINDOW), max_size=60))
def test_a_count_is_good_once(asked: list[int]) -> None:
    """Against a set that forgets nothing, within the window."""
    counts, used = Counts(), set[int]()
    for count in asked:
        highest = max(used, default=0)
        assert counts.use(count) == (count not in used and count > highest - WINDOW)
        if count > highest - WINDOW:
            used.add(count)


@pytest.mark.parametrize("count", [0, -1, HIGHEST + 1])
def test_counts_have_bounds(count: int) -> None:
    """None outside of them is ever good."""
    assert not Counts().use(count)


def test_a_leap_costs_nothing() -> None:
    """A hostile agent's highest count is not so many bits of memory."""
    counts = Counts()

    assert counts.use(1)
    assert counts.use(HIGHEST)
    assert not counts.use(1)
    assert counts._used.bit_length() <= WINDOW
    assert counts.use(HIGHEST - WINDOW + 1)
    assert not counts.use(HIGHEST - WINDOW)

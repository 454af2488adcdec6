"""Pairing: a code read as people type, and proofs that leave nothing out."""

from contextlib import suppress
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.pull.chance import chance
from tests.touchpoints.pull.values import PAIR_ANSWERS, PAIR_REQUESTS
from touchpoints.problem import ProblemError
from touchpoints.pull import crockford
from touchpoints.pull.pairing import (
    PairAnswer,
    PairRequest,
    agent_proof,
    check_agent_proof,
    check_proxy_proof,
    fingerprint,
    new_code,
    parse_code,
    proxy_proof,
)
from touchpoints.pull.text import parts

SECRETS = st.text(crockford.ALPHABET, min_size=16, max_size=16)
CODE = new_code(chance("code"))


def test_a_code_is_read_as_it_is_shown() -> None:
    """Five groups of four, and its secret is not in what is printed of it."""
    text = CODE.text()

    assert [len(group) for group in text.split("-")] == [4] * 5
    assert parse_code(text) == CODE
    assert CODE.secret not in repr(CODE)
    assert len({new_code(chance(str(seed))).text() for seed in range(100)}) == 100


def test_every_character_is_drawn() -> None:
    """All 32, and never one that is mistaken for another."""
    drawn = set("".join(new_code(chance(str(seed))).text() for seed in range(100))) - {"-"}

    assert drawn == set(crockford.ALPHABET)
    assert not drawn & set("OILU")


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: f"  {text}\r\n",
        lambda text: text.replace("-", "\u2013"),
        lambda text: text.replace("-", "\u2011"),
        " - ".join,
        lambda text: text.replace("0", "O").replace("1", "I"),
        lambda text: text.replace("0", "o").replace("1", "l"),
    ],
)
def test_what_is_forgiven(change: object) -> None:
    """Case, gaps, dashes of word processors, letters that look like digits."""
    code = parse_code("0123-4567-89AB-CDEF-GH10")

    assert parse_code(change(code.text())) == code  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "0123-4567-89AB-CDEF-GH1",
        "0123-4567-89AB-CDEF-GH101",
        "U123-4567-89AB-CDEF-GH10",
        "0123_4567_89AB_CDEF_GH10",
        "\uff10123-4567-89AB-CDEF-GH10",
        "\u0131123-4567-89AB-CDEF-GH10",
        "0123-4567-89AB-CDEF-GH10" + " " * 10_000,
    ],
)
def test_what_is_no_code(text: str) -> None:
    """Told in words, without the text in them."""
    with pytest.raises(ProblemError) as raised:
        parse_code(text)
    assert raised.value.problems[0].code == "pairing_code_malformed"


@given(st.text(max_size=60))
def test_any_text_is_a_code_or_told_to_be_none(text: str) -> None:
    """Nothing else is raised."""
    with suppress(ProblemError):
        assert parse_code(text).text()


@given(SECRETS, PAIR_REQUESTS, PAIR_ANSWERS)
def test_proofs_hold(secret: str, request: PairRequest, answer: PairAnswer) -> None:
    """On both sides."""
    request = replace(request, proof=agent_proof(secret, request))
    answer = replace(answer, proof=proxy_proof(secret, request, answer))

    assert check_agent_proof(secret, request)
    assert check_proxy_proof(secret, request, answer)
    assert request.proof != answer.proof
    assert not check_agent_proof(secret, replace(request, proof=answer.proof))
    assert not check_proxy_proof(secret, request, replace(answer, proof=request.proof))


@given(SECRETS, SECRETS, PAIR_REQUESTS, PAIR_REQUESTS, PAIR_ANSWERS, PAIR_ANSWERS, st.data())
def test_no_field_can_be_put_in_from_elsewhere(
    secret: str,
    wrong: str,
    request: PairRequest,
    other: PairRequest,
    answer: PairAnswer,
    another: PairAnswer,
    data: st.DataObject,
) -> None:
    """Each field of both is covered by the proofs, and so is the code."""
    request = replace(request, proof=agent_proof(secret, request))
    answer = replace(answer, proof=proxy_proof(secret, request, answer))
    name = data.draw(st.sampled_from([field.name for field in fields(PairRequest)]))
    changed = replace(request, **{name: getattr(other, name)})
    if changed != request:
        assert not check_agent_proof(secret, changed)
        assert name == "proof" or not check_proxy_proof(secret, changed, answer)
    name = data.draw(st.sampled_from([field.name for field in fields(PairAnswer)]))
    altered = replace(answer, **{name: getattr(another, name)})
    if altered != answer:
        assert not check_proxy_proof(secret, request, altered)
    if wrong != secret:
        assert not check_agent_proof(wrong, request)
        assert not check_proxy_proof(wrong, request, answer)


def test_bytes_cannot_move_between_fields() -> None:
    """Each part stands after its length."""
    assert parts("x", "ab", "c") != parts("x", "a", "bc")
    assert parts("x", "a", "") != parts("x", "a")
    assert parts("x", "a") != parts("xa")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_fingerprint_is_read_aloud(signing: bytes, exchange: bytes) -> None:
    """Six groups of five digits, other ones when either key is another."""
    found = fingerprint(signing, exchange)

    assert [len(group) for group in found.split(" ")] == [5] * 6
    assert found.replace(" ", "").isdigit()
    assert found != fingerprint(signing, bytes([exchange[0] ^ 1]) + exchange[1:])
    assert found != fingerprint(bytes([signing[0] ^ 1]) + signing[1:], exchange)

"""The registry of schemes: hostile input, and the configuration's checks."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, WHSEC, make_request, make_touchpoint
from tests.touchpoints.proving import SCHEMES, signature_header, signed, token, value_of, why
from touchpoints.event import Headers
from touchpoints.problem import problem
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading
from touchpoints.touchpoint import Verification
from touchpoints.verification import secret_problem, selector_problem, verification_problem, verify


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=80)), max_size=6), st.text(max_size=30))
def test_nothing_a_stranger_sends_makes_verification_fail(body: bytes, picks: list[tuple[int, bytes]], target: str) -> None:
    """Every request ends in a value, and a stranger's never in a proof."""
    for touchpoint in (
        *SCHEMES,
        token("query:code", "\udcff s"),
        make_touchpoint("generic", "a:b", verification=Verification(scheme="basic")),
    ):
        names = [
            signature_header(touchpoint) or "authorization",
            "svix-id",
            "svix-timestamp",
            "x-slack-request-timestamp",
            "content-type",
        ]
        headers = [(names[index].encode(), value) for index, value in picks]
        assert isinstance(receive(make_request(body, headers, target=target), touchpoint), Refused)


@given(st.text(max_size=40))
def test_no_secret_makes_verification_fail(secret: str) -> None:
    """Whatever a person typed."""
    for touchpoint in SCHEMES:
        refused = verify(Reading(make_request(headers=signed(touchpoint))), replace(touchpoint, secrets=(secret,)), NOW)
        assert refused in {None, Refused(code="signature_wrong"), Refused(code="secret_unusable")}


@pytest.mark.parametrize(
    "verification",
    [
        Verification(scheme="magic"),
        Verification(),
        Verification(signature="header:x", algorithm="md5"),
        Verification(signature="header:x", encoding="base85"),
        Verification(signature="header:x", layout="csvkv"),
        Verification(signature="header:x", layout="plain:v1"),
        Verification(signature="header:x", layout="list:v1"),
        Verification(signature="header:x", key="pem"),
        Verification(signature="header:"),
        Verification(signature="header:x", signed="{body"),
        Verification(signature="header:x", signed="{body}}"),
        Verification(signature="header:x", signed="{body}{"),
        Verification(signature="header:x", signed="fixed"),
        Verification(signature="header:x", signed="{nothing}"),
        Verification(signature="header:x", signed="{ts}.{body}"),
        Verification(signature="header:x", signed="{id}.{body}"),
        Verification(signature="header:x", signed="{ts}{body}", timestamp="header:t"),
        Verification(signature="header:x", signed="{ts}{body}", timestamp="header:t:weeks"),
        Verification(scheme="token"),
        Verification(scheme="token", credential="cookie:x"),
        Verification(signature="header:x", layout="many:x"),
        Verification(signature="header:x", layout="numbered:x-"),
        Verification(layout="numbered"),
        Verification(signature="header:x", timestamp="sigfield:t:s"),
        Verification(signature="header:x", signed="{secret}{body}"),
        Verification(signature="header:x", when="cookie:x=1"),
    ],
)
def test_a_verification_that_cannot_work_is_a_problem_in_words(verification: Verification) -> None:
    """Each mistake is told when the configuration is read, not when the first event comes."""
    found = verification_problem(verification, path="touchpoint.stock.verify")

    assert found is not None
    assert (found.code, found.path) == ("verify_invalid", "touchpoint.stock.verify")


FIRST = Verification(signature="header:x-new", secret_form="new_.+")
SECOND = Verification(scheme="token", credential="header:x-old", secret_form="(?!new_).+")
BOTH = make_touchpoint("generic", verification=FIRST, alternatives=(SECOND,))
NEW = value_of(signed(make_touchpoint("generic", "new_1", verification=FIRST)), "x-new")


@pytest.mark.parametrize(
    ("secrets", "headers", "code"),
    [
        (("new_1",), ((b"x-new", NEW),), ""),
        (("new_1", "old"), ((b"x-new", NEW),), ""),
        (("new_1", "old"), ((b"x-old", b"old"),), ""),
        (("new_1", "old"), ((b"x-new", b"0" * 64), (b"x-old", b"old")), "signature_wrong"),  # the first that is there decides
        (("old",), ((b"x-new", NEW), (b"x-old", b"old")), ""),
        (("old",), ((b"x-new", NEW),), "secret_unusable"),
        (("new_1",), ((b"x-old", b"new_1"),), "secret_unusable"),
        (("new_1",), (), "signature_missing"),
        ((), ((b"x-new", NEW),), "no_secret"),
    ],
)
def test_the_first_verification_whose_proof_comes_and_that_takes_a_secret_decides(
    secrets: tuple[str, ...], headers: Headers, code: str
) -> None:
    """Nothing falls through to another one: a wrong signature stays wrong whatever token is beside it."""
    assert why(make_request(headers=headers), replace(BOTH, secrets=secrets)) == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (((b"x-new", b"0" * 64), (b"x-old", b"old")), ""),
        (((b"x-new", NEW), (b"x-old", b"wrong")), ""),
        (((b"x-new", b"0" * 64), (b"x-old", b"wrong")), "signature_wrong"),  # the first reason is told
        (((b"x-new", b"0" * 64),), "signature_wrong"),
        (((b"x-old", b"wrong"),), "credential_wrong"),
    ],
)
def test_where_keys_of_one_sender_are_rolled_either_proves(headers: Headers, code: str) -> None:
    """Only where the verification that refused says so; one that says nothing is the last word."""
    rolled = replace(BOTH, verification=replace(FIRST, or_next=True), secrets=("new_1", "old"))
    assert why(make_request(headers=headers), rolled) == code


def test_a_refusal_does_not_hide_that_the_next_key_is_wanted() -> None:
    """Adobe's second key may have to be fetched when the first signature is wrong."""
    published = Verification(
        scheme="asymmetric",
        signature="header:x-old",
        algorithm="rsa-sha256",
        encoding="base64",
        key="published:pem",
        key_url="const:https://keys.example/k.pem",
    )
    rolled = make_touchpoint("generic", "new_1", verification=replace(FIRST, or_next=True), alternatives=(published,))
    request = make_request(headers=((b"x-new", b"0" * 64), (b"x-old", b"AAAA")))
    assert isinstance(receive(request, rolled), Wanting)


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ((b"v2",), ""),
        ((b"v1",), "signature_wrong"),
        ((b"v3",), "signature_missing"),
        ((), "signature_missing"),
        ((b"v2", b"v2"), "signature_missing"),
    ],
)
def test_a_verification_may_be_meant_for_some_requests_only(version: tuple[bytes, ...], code: str) -> None:
    """HubSpot names the version of a signature in a header beside it."""
    one, two = (
        Verification(scheme="hash_prefix", signature="header:x-sig", signed=text, when=f"header:x-version={name}")
        for text, name in (("{secret}{body}", "v1"), ("{secret}{method}{body}", "v2"))
    )
    touchpoint = make_touchpoint("generic", "s", verification=one, alternatives=(two,))
    right = hashlib.sha256(b"sPOST{}").hexdigest().encode()
    headers = ((b"x-sig", right), *((b"x-version", value) for value in version))

    assert why(make_request(headers=headers), touchpoint) == code


def test_numbered_signatures_are_looked_for_by_their_prefix() -> None:
    """They decide where one of them is there, else the next verification does."""
    numbered = Verification(layout="numbered:x-sig-")
    touchpoint = make_touchpoint("generic", "s", verification=numbered, alternatives=(replace(SECOND, secret_form=""),))
    right = value_of(signed(make_touchpoint("generic", "s", verification=numbered)), "x-sig-1")

    assert why(make_request(headers=((b"x-sig-7", right),)), touchpoint) == ""
    assert why(make_request(headers=((b"x-sig-7", b"0" * 64), (b"x-old", b"s"))), touchpoint) == "signature_wrong"
    assert why(make_request(headers=((b"x-sig-a", right), (b"x-old", b"s"))), touchpoint) == ""


def test_what_is_missing_is_named_by_the_first_verification() -> None:
    """A credential or a signature; a verification that needs no secret decides without one."""
    token_first = make_touchpoint("generic", "s", verification=replace(SECOND, secret_form=""), alternatives=(FIRST,))
    unneeded = Verification(
        scheme="asymmetric",
        signature="header:x-key",
        algorithm="ed25519",
        encoding="base64",
        key="published:pem",
        key_url="const:https://keys.example.com/k",
        key_hosts=("keys.example.com",),
    )
    published = make_touchpoint("generic", verification=unneeded, alternatives=(SECOND,))

    assert why(make_request(), token_first) == "credential_missing"
    assert why(make_request(), replace(token_first, verification=FIRST)) == "signature_missing"
    wanting = verify(Reading(make_request(headers=((b"x-key", b"A" * 86 + b"=="),))), published, NOW)
    assert isinstance(wanting, Wanting)


def test_a_secret_must_be_right_for_one_of_those_that_take_it() -> None:
    """GitLab's signing token is of a form of its own, its older token any text."""
    first = Verification(signature="header:x", key="whsec", secret_form="whsec_.*")

    assert secret_problem(first, WHSEC, alternatives=(SECOND,)) is None
    assert secret_problem(first, "any", alternatives=(SECOND,)) is None
    for wrong in ("whsec_no base64", "new_1", "  "):
        found = secret_problem(first, wrong, alternatives=(replace(SECOND, secret_form="(?!new_|whsec_).+"),))
        assert found is not None
        assert found.code == "secret_malformed"


def test_unsigned_and_selectors_are_checked() -> None:
    """An empty selector is none."""
    unsigned = verification_problem(Verification(scheme="none"))
    broken = selector_problem("json:id", path="reference")

    assert unsigned is not None
    assert unsigned.code == "unsigned_not_allowed"
    assert broken is not None
    assert (broken.code, broken.path) == ("selector_invalid", "reference")
    assert selector_problem("") is None
    assert selector_problem("json:/id|header:x") is None


@pytest.mark.parametrize(
    ("verification", "secret", "fine"),
    [
        (provider("svix").verification(), WHSEC, True),
        (provider("svix").verification(), "whsec_AAA", True),  # padding left out, as the libraries allow
        (provider("svix").verification(), "whsec_no base64", False),
        (provider("svix").verification(), "whsec_", False),
        (provider("stripe").verification(), WHSEC, True),
        (provider("shopify").verification(), "", False),
        (provider("shopify").verification(), "  ", False),
        (Verification(signature="header:x", key="hex"), "00ff", True),
        (Verification(signature="header:x", key="hex"), "00f", False),
        (Verification(signature="header:x", key="base64"), "AA==", True),
        (Verification(signature="header:x", key="base64"), "AA", False),
        (Verification(signature="header:x", key="base64"), "A!A==", False),
        (Verification(scheme="adyen"), "00FF", True),
        (Verification(scheme="adyen"), "00F", False),
        (Verification(scheme="braintree"), "public:private", True),
        (Verification(scheme="braintree"), "public", False),
        (Verification(scheme="twilio"), "token", True),
        (Verification(scheme="hash_prefix", signature="header:x", signed="{secret}{body}"), " ", False),
        (Verification(scheme="basic"), "jo:pass", True),
        (Verification(scheme="basic"), "jo", False),
        (Verification(scheme="token", credential="header:x"), "", False),
    ],
)
def test_a_secret_of_the_wrong_form_is_a_problem(verification: Verification, secret: str, fine: bool) -> None:
    """Told when it is entered, without repeating it."""
    found = secret_problem(verification, secret, path="secrets[0]")

    assert (found is None) is fine
    assert "no base64" not in str(found)


@pytest.mark.parametrize(
    "code",
    [
        "signature_missing", "signature_wrong", "signature_malformed", "signature_ambiguous", "credential_missing",
        "credential_wrong", "credential_malformed", "timestamp_missing", "timestamp_malformed", "timestamp_stale",
        "timestamp_future", "no_secret", "secret_unusable", "unsigned_not_allowed", "hop_limit",
    ],
)  # fmt: skip
def test_every_refusal_has_words_of_its_own(code: str) -> None:
    """With a mend, and without a value to fill in."""
    words = problem(code)

    assert words.text
    assert words.mend

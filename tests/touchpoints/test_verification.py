"""The registry of schemes: hostile input, and the configuration's checks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, WHSEC, make_request, make_touchpoint
from tests.touchpoints.proving import SCHEMES, signature_header, signed, token
from touchpoints.problem import problem
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.touchpoint import Verification
from touchpoints.verification import covers, secret_problem, selector_problem, verification_problem, verify


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
        Verification(signature="header:x", signed="fixed"),
        Verification(signature="header:x", signed="{nothing}"),
        Verification(signature="header:x", signed="{ts}.{body}"),
        Verification(signature="header:x", signed="{id}.{body}"),
        Verification(signature="header:x", signed="{ts}{body}", timestamp="header:t"),
        Verification(signature="header:x", signed="{ts}{body}", timestamp="header:t:weeks"),
        Verification(scheme="token"),
        Verification(scheme="token", credential="cookie:x"),
    ],
)
def test_a_verification_that_cannot_work_is_a_problem_in_words(verification: Verification) -> None:
    """Each mistake is told when the configuration is read, not when the first event comes."""
    found = verification_problem(verification, path="touchpoint.stock.verify")

    assert found is not None
    assert (found.code, found.path) == ("verify_invalid", "touchpoint.stock.verify")


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
    ("verification", "key", "covered"),
    [
        (Verification(signature="header:x"), "json:/id", True),
        (Verification(signature="header:x"), "body", True),
        (Verification(signature="header:x"), "header:id", False),
        (Verification(signature="header:x"), "query:id", False),
        (Verification(signature="header:x"), "json:/id|header:id", False),
        (Verification(signature="header:x", signed="{url}{body}"), "query:id", True),
        (Verification(signature="header:x", signed="{header:Id}{body}"), "header:id", True),
        (Verification(signature="header:x", signed="{json:/Id}"), "json:/id", False),
        (Verification(signature="header:x", signed="{json:/id}"), "json:/id", True),
        (provider("svix").verification(), "header:svix-id|header:webhook-id", True),
        (provider("svix").verification(), "header:webhook-id|header:svix-id", False),
        (Verification(scheme="basic"), "header:id", True),
        (Verification(scheme="none", allow_unsigned=True), "body", False),
    ],
)
def test_what_a_signature_vouches_for(verification: Verification, key: str, covered: bool) -> None:
    """A dedup key outside the signature is one that a stranger could change."""
    assert covers(verification, key) is covered


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

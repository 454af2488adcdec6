"""The diagnosis: each refusal told in detail, and neither a secret nor the value of a proof in it."""

import base64
from dataclasses import replace
from typing import Any

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint, replaced
from touchpoints.diagnosis import Finding, explain
from touchpoints.event import Headers
from touchpoints.form import Form, form_of
from touchpoints.moment import MINUTE, SECOND
from touchpoints.problem import catalogue
from touchpoints.provider import Provider, provider_names, providers
from touchpoints.provider_settings import every_verification
from touchpoints.receive import receive
from touchpoints.request import Refused, Request
from touchpoints.sign import sign
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import place_of

SECRET = "hush-hush-hush"
BODY = b'{"type":"sample"}'
STRIPE = make_touchpoint("stripe", "whsec_" + SECRET)
SHOPIFY = make_touchpoint("shopify", SECRET)
KEY = make_touchpoint("generic", SECRET, verification=Verification(scheme="token", credential="header:x-key"))


def signed(touchpoint: Touchpoint, *, at: int = NOW, **fields: Any) -> Request:
    """A request as the touchpoint's sender makes it."""
    return make_request(BODY, sign(touchpoint, BODY, (), at, URL, "msg_1"), **fields)


def with_header(request: Request, name: str, *values: bytes) -> Request:
    """The request with another header."""
    headers: Headers = replaced(request.headers, name, *values)
    return replace(request, headers=headers)


def names_of(preset: Provider) -> list[bytes]:
    """The headers that a provider's proofs stand in."""
    places = "|".join(place_of(one) for one in every_verification(preset)).split("|")
    return [place.removeprefix("header:").encode() for place in places if place.startswith("header:")]


def told(request: Request, touchpoint: Touchpoint, **more: Any) -> list[Finding]:
    """What is found of a request that is refused now."""
    received = receive(request, touchpoint)
    assert isinstance(received, Refused)
    return explain(request, touchpoint, received.code, **more)


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def test_a_missing_header_is_named_with_what_is_there_instead() -> None:
    """The place that was looked at, the sender whose header it is, or the headers that may be meant."""
    github = make_request(BODY, ((b"x-hub-signature-256", b"sha256=00"),))
    absent, other = told(github, SHOPIFY)
    assert absent == Finding(code="diagnosis_absent", values={"place": SHOPIFY.verification.signature})
    assert "github" in other.values["providers"]
    near = told(make_request(BODY, ((b"x-acme-sign", b"1"), (b"accept", b"*/*"))), SHOPIFY)[1]
    assert near == Finding(code="diagnosis_near", values={"names": ("x-acme-sign",)})
    assert codes(told(make_request(BODY), SHOPIFY)) == ["diagnosis_absent", "diagnosis_nothing_near"]
    assert told(make_request(BODY), KEY)[0].values == {"place": "header:x-key"}
    part = told(
        with_header(signed(make_touchpoint("slack", SECRET)), "x-slack-request-timestamp"), make_touchpoint("slack", SECRET)
    )
    assert part[0].values == {"place": "header:x-slack-request-timestamp"}


def test_a_method_and_an_empty_body_are_told() -> None:
    """Whoever opened the URL in a browser learns it."""
    found = told(make_request(b"", method="GET"), SHOPIFY)
    assert Finding(code="diagnosis_method", values={"method": "GET", "methods": "POST"}) in found
    assert "diagnosis_empty" in codes(told(make_request(b""), SHOPIFY))


def test_a_header_that_is_there_twice_is_counted() -> None:
    """Which one, and how often."""
    signature = b"0" * 43 + b"="
    twice = with_header(signed(KEY), "x-key", b"a", b"b", b"c")
    assert told(twice, KEY) == [Finding(code="diagnosis_twice", values={"place": "header:x-key", "n": 3})]
    twice = with_header(signed(SHOPIFY), "x-shopify-hmac-sha256", signature, signature)
    assert told(twice, SHOPIFY)[0].values["n"] == 2


def test_the_form_expected_stands_beside_the_one_that_came() -> None:
    """Length, alphabet and prefix, never the value."""
    (form,) = told(with_header(signed(SHOPIFY), "x-shopify-hmac-sha256", b"ab" * 32), SHOPIFY)
    assert form.values["expected"] == Form(kind="base64", length=44)
    assert form.values["came"] == Form(kind="hex", length=64)
    (form,) = told(with_header(signed(STRIPE), "stripe-signature", b"v0=1"), STRIPE)
    assert form.values["expected"] == Form(kind="hex", length=64, tag="v1=")


def test_a_wrong_signature_names_the_secret_by_its_fingerprint() -> None:
    """And tells when the spaces around a pasted secret are to blame."""
    wrong = replace(SHOPIFY, secrets=("another",))
    found = told(signed(SHOPIFY), wrong, fingerprints=["0123456789abcdef"])
    assert found == [Finding(code="diagnosis_secrets", values={"fingerprints": ("0123456789abcdef",), "n": 1})]
    spaced = replace(SHOPIFY, secrets=(f" {SECRET}\n",))
    assert codes(told(signed(SHOPIFY), spaced)) == ["diagnosis_spaces"]
    wrong = replace(KEY, secrets=("another",))
    assert told(signed(KEY), wrong)[0].values["came"] == Form(kind="base64url", length=len(SECRET))


def test_the_address_that_is_signed_is_shown_without_its_query() -> None:
    """Where the sender signs it, a proxy in front is the likeliest cause."""
    url = make_touchpoint(
        "generic", SECRET, verification=Verification(signature="header:x-sign", signed="{url}{body}"), event_type=""
    )
    found = told(replace(signed(url), url=URL + "x?code=hush"), url)
    assert found == [Finding(code="diagnosis_url", values={"url": URL + "x"})]


@pytest.mark.parametrize(("apart", "code"), [(7 * MINUTE, "diagnosis_behind"), (-7 * MINUTE, "diagnosis_ahead")])
@pytest.mark.parametrize("name", ["stripe", "slack"])
def test_the_clocks_are_compared(name: str, apart: int, code: str) -> None:
    """How far they are apart, whether the time has a header of its own or is part of the signature's."""
    touchpoint = make_touchpoint(name, SECRET)
    (found,) = told(signed(touchpoint, at=NOW - apart), touchpoint)
    assert found.code == code
    assert found.values == {"off": 7 * MINUTE, "allowed": touchpoint.verification.tolerance}
    odd = with_header(signed(make_touchpoint("slack", SECRET)), "x-slack-request-timestamp", b"soon")
    (form,) = told(odd, make_touchpoint("slack", SECRET))
    assert form.values["came"] == Form(kind="letters", length=4)


def test_what_has_changed_since_is_told() -> None:
    """An event that fits by now, and one that is refused for another reason by now."""
    assert codes(explain(signed(SHOPIFY), SHOPIFY, "no_secret")) == ["diagnosis_fits_now"]
    found = explain(signed(SHOPIFY), replace(SHOPIFY, secrets=("x",)), "no_secret", fingerprints=["a"])
    assert codes(found) == ["diagnosis_changed", "signature_wrong", "diagnosis_secrets"]
    assert codes(explain(signed(SHOPIFY), SHOPIFY, "signature_wrong", whole=False, fingerprints=["a"])) == ["diagnosis_secrets"]


def test_a_secret_of_the_wrong_form_is_told_by_its_form() -> None:
    """As the configuration tells it."""
    svix = make_touchpoint("svix", "whsec_" + base64.b64encode(b"k" * 24).decode())
    (found,) = told(signed(svix), replace(svix, secrets=("whsec_!!",)))
    assert found.code == "secret_malformed"
    assert "whsec_" in found.values["form"]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"", Form(kind="empty")),
        (b"sha256=" + b"0a" * 32, Form(kind="hex", length=64, prefix="sha256=")),
        (b"sha1=zz!", Form(kind="text", length=3, prefix="sha1=")),
        (b"1700000000000", Form(kind="digits", length=13)),
        (b"Bearer a.b.c", Form(kind="jwt", length=5, prefix="bearer ")),
        (b"a-b_", Form(kind="base64url", length=4)),
        (b"\xff", Form(kind="text", length=1)),
    ],
)
def test_the_form_of_a_value(value: bytes, form: Form) -> None:
    """Kind, length, a prefix that is well known."""
    assert form_of(value) == form


def test_a_network_is_compared_with_those_that_may_send() -> None:
    """The address that came stands beside the ones that are allowed."""
    (found,) = told(signed(SHOPIFY), replace(SHOPIFY, networks=("198.51.100.0/24",)))
    assert found == Finding(code="diagnosis_network", values={"remote": "192.0.2.1", "networks": ("198.51.100.0/24",)})


def test_a_token_for_somebody_else_is_told_by_its_claims() -> None:
    """What it claims and what is wanted; the token itself is in none of it."""
    verification = Verification(
        scheme="jwt", credential="header:authorization", prefix="Bearer ", algorithm="HS256", audience="us", issuer="them"
    )
    touchpoint = make_touchpoint("generic", SECRET * 3, verification=verification)
    for claims, code, name in (
        ({"aud": "you", "iss": "them"}, "audience_wrong", "aud"),
        ({"aud": "us", "iss": "x"}, "issuer_wrong", "iss"),
    ):
        token = pyjwt.encode({**claims, "exp": NOW // SECOND + 60}, SECRET * 3, algorithm="HS256")
        request = make_request(BODY, ((b"authorization", f"Bearer {token}".encode()),))
        assert receive(request, touchpoint) == Refused(code=code)
        found = explain(request, touchpoint, code)
        assert token not in repr(found)
        wanted = {"aud": "us", "iss": "them"}[name]
        assert found == [Finding(code="diagnosis_claim", values={"name": name, "wanted": wanted, "came": claims[name]})]


def test_a_request_that_waited_for_keys_is_told_so() -> None:
    """Only where that is why it was refused; else whom it was meant for is told."""
    sns = make_touchpoint("aws_sns", "arn:aws:sns:eu-central-1:1:orders")
    body = (
        b'{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:1:orders","Message":"{}",'
        b'"Timestamp":"2026-11-18T12:26:40.000Z","SignatureVersion":"2","Signature":"AAAA",'
        b'"SigningCertURL":"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"}'
    )
    waited = Finding(code="diagnosis_keys", values={"names": ("sns.eu-central-1.amazonaws.com",)})
    assert explain(make_request(body), sns, "key_unavailable") == [waited]
    topic = Finding(code="diagnosis_topic", values={"came": "arn:aws:sns:eu-central-1:1:orders"})
    assert explain(make_request(body), sns, "recipient_wrong") == [topic]


HEADERS = sorted({name for one in providers().values() for name in (b"authorization", *names_of(one))})


@given(
    body=st.one_of(st.binary(max_size=60), st.sampled_from([one.sample.body.encode() for one in providers().values()])),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), st.binary(max_size=60)), max_size=4),
    code=st.sampled_from(sorted(catalogue())),
    name=st.sampled_from(provider_names()),
)
def test_nothing_makes_it_raise_and_no_value_is_told(
    body: bytes, headers: list[tuple[bytes, bytes]], code: str, name: str
) -> None:
    """Whatever came to whichever provider: every finding has words, and what was written into a header is in none."""
    request = make_request(body, headers)
    touchpoint = KEY if name == "generic" else make_touchpoint(name, SECRET)  # it has no way of checking of its own
    for found in explain(request, touchpoint, code, fingerprints=["f"]):
        assert found.code in catalogue()
        assert SECRET not in repr(found)
        for _, value in headers:
            assert len(value) < 12 or value.decode("latin-1") not in repr(found)

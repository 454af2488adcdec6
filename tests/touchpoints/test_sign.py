"""Signing test events, and what we send by Standard Webhooks."""

from datetime import UTC, datetime

import pytest
import standardwebhooks

from tests.touchpoints.factory import NOW, URL, WHSEC, fitting_secret, make_request, make_touchpoint
from touchpoints.moment import SECOND
from touchpoints.problem import ProblemError
from touchpoints.provider import providers
from touchpoints.receive import receive
from touchpoints.request import Request, Verified
from touchpoints.sign import sample, sign, sign_standard, signed_body, signed_url
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import taken

ONLY_SENDER = {"asymmetric", "jwt", "sns", "paypal", "ebay"}


def made_event(touchpoint: Touchpoint, body: bytes | None = None) -> Request:
    """A test event as `hookport touchpoint test` makes it."""
    url = signed_url(touchpoint, URL)
    body = signed_body(touchpoint, sample(touchpoint) if body is None else body, NOW, "test_1")
    headers = sign(touchpoint, body, (), NOW, url, "test_1")
    return make_request(body, headers, url=url, target=url.removeprefix("https://hooks.example.com:8420"))


def signing(touchpoint: Touchpoint) -> list[Verification]:
    """Those verifications that take the secret."""
    return [one for one in (touchpoint.verification, *touchpoint.alternatives) if taken(one, touchpoint.secrets)]


def generic(**fields: str) -> Touchpoint:
    """A generic touchpoint with one secret."""
    return make_touchpoint("generic", "us:er", verification=Verification(**fields))  # type: ignore[arg-type]  # text fields only


@pytest.mark.parametrize("name", [row.name for row in providers().values() if row.verify])
def test_a_providers_sample_is_received_as_its_event(name: str) -> None:
    """Signed, with its type, an id where its events have one, and a number where the provider has one."""
    touchpoint = make_touchpoint(name, fitting_secret(name))
    if all(one.scheme in ONLY_SENDER for one in signing(touchpoint)):
        with pytest.raises(ProblemError, match="test_unsignable"):
            sign(touchpoint, sample(touchpoint), (), NOW, URL, "test_1")
        return

    verified = receive(made_event(touchpoint), touchpoint)

    assert isinstance(verified, Verified)
    assert verified.event_type == providers()[name].sample.event_type
    assert verified.dedup_key or not touchpoint.dedup.key or touchpoint.split is None


@pytest.mark.parametrize(
    "touchpoint",
    [
        generic(
            scheme="hmac",
            signature="header:x-sig",
            algorithm="sha512",
            prefix="v1=",
            signed="{method} {path_query} {url} {body}",
        ),
        generic(scheme="hmac", signature="header:x-sig", layout="csvkv:s", timestamp="header:x-time:ms", signed="{ts}{body}"),
        generic(scheme="hmac", signature="header:x-sig", signed="{header:content-type}{json:/id}{body}"),
        generic(scheme="hmac", signature="header:x-sig", layout="many", prefix="sha256="),
        generic(scheme="hmac", layout="numbered:x-sig-", encoding="base64url"),
        generic(scheme="hmac", signature="json:/proof/signature", encoding="any", signed="{json:/id}{json:/type}"),
        generic(scheme="hmac", signature="header:x-sig", timestamp="header:x-time:iso", signed="{ts}{sha256hex_body}"),
        generic(scheme="hmac", signature="header:x-sig", timestamp="json:/sent:ms", signed="{url_decoded}{body}"),
        generic(scheme="hmac", signature="header:x-sig", key="sha1", message_id="json:/id", signed="{id}.{body}"),
        generic(scheme="hash_prefix", signature="header:x-sig", signed="{secret}{method}{url}{body}"),
        generic(scheme="hash_prefix", signature="header:x-sig", when="header:x-version=v1", signed="{body}{secret}"),
        generic(scheme="twilio"),
        generic(scheme="token", credential="json:/token"),
        generic(scheme="token", credential="json:/deep/token", prefix="Token "),
        generic(scheme="token", credential="form:token"),
        generic(scheme="token", credential="header:x-key"),
        generic(scheme="token", credential="header:authorization", prefix="Bearer "),
        generic(scheme="basic"),
        make_touchpoint(
            "generic",
            "a-secret-of-at-least-thirty-two-characters",
            verification=Verification(
                scheme="jwt",
                credential="header:authorization",
                prefix="Bearer ",
                algorithm="HS256",
                audience="orders",
                issuer="shop",
                claims=("qsh={qsh}", "sub|user=a|b"),
            ),
        ),
    ],
)
def test_every_scheme_can_be_signed(touchpoint: Touchpoint) -> None:
    """Signing is the inverse of verification."""
    assert isinstance(receive(made_event(touchpoint), touchpoint), Verified)


def test_a_credential_in_the_query_is_part_of_the_url() -> None:
    """Where the provider puts it there; elsewhere the URL stays."""
    touchpoint = make_touchpoint("generic", "a&b=é", verification=Verification(scheme="token", credential="query:code"))
    url = signed_url(touchpoint, URL + "?x=1")

    assert isinstance(receive(make_request(target=url.removeprefix("https://hooks.example.com:8420")), touchpoint), Verified)
    assert signed_url(generic(scheme="basic"), URL) == URL


def test_given_headers_win_over_the_usual_ones_but_not_over_the_proof() -> None:
    """A person may test another event type; a stale signature in a recorded request is replaced."""
    touchpoint = make_touchpoint("shopify", "secret")
    given = ((b"x-shopify-topic", b"orders/paid"), (b"x-shopify-hmac-sha256", b"stale"))
    verified = receive(make_request(b"{}", sign(touchpoint, b"{}", given, NOW, URL, "m")), touchpoint)

    assert isinstance(verified, Verified)
    assert verified.event_type == "orders/paid"


def test_an_unsigned_touchpoint_needs_no_secret() -> None:
    """Nothing is added but the usual headers."""
    touchpoint = make_touchpoint("generic", verification=Verification(scheme="none", allow_unsigned=True))

    assert sign(touchpoint, b"{}", (), NOW, URL, "m") == ((b"content-type", b"application/json"),)


@pytest.mark.parametrize(
    ("touchpoint", "code"),
    [
        (make_touchpoint("shopify"), "test_needs_secret"),
        (make_touchpoint("svix", "whsec_no base64"), "secret_malformed"),
        (make_touchpoint("adyen", "not hex"), "secret_malformed"),
        (make_touchpoint("braintree", "public"), "secret_malformed"),
        (make_touchpoint("twilio"), "test_needs_secret"),
        (generic(scheme="token", credential="json:"), "test_unsignable"),
        (generic(scheme="token", credential="json:/type/deeper"), "test_unsignable"),
        (generic(scheme="token", credential="xml:/a/b"), "test_unsignable"),
        (generic(scheme="token", credential="header:x>base64"), "test_unsignable"),
        (generic(scheme="token", credential="form:a>base64"), "test_unsignable"),
        (generic(scheme="hmac", signature="header:x>base64"), "test_unsignable"),
        (generic(scheme="hmac", signature="xml:/a@b", signed="{json:/id}"), "test_unsignable"),
        (generic(scheme="hmac", signature="header:x", signed="{json:/nothing}"), "test_unsignable"),
        (generic(scheme="hmac", signature="header:x", message_id="query:id", signed="{id}{body}"), "test_unsignable"),
        (generic(scheme="ebay"), "test_unsignable"),
        (generic(scheme="jwt", credential="header:authorization", algorithm="RS256", key="pem"), "test_unsignable"),
        (generic(scheme="jwt", credential="body", algorithm="HS256"), "test_unsignable"),
    ],
)
def test_what_cannot_be_signed_is_said(touchpoint: Touchpoint, code: str) -> None:
    """With the mend, and without the secret."""
    with pytest.raises(ProblemError) as caught:
        made_event(touchpoint)

    assert [one.code for one in caught.value.problems] == [code]
    assert "us:er" not in str(caught.value)


def test_what_we_send_is_signed_by_standard_webhooks() -> None:
    """The official library makes the same signature of the same bytes."""
    body = '{"café": 1}'
    touchpoint = make_touchpoint("standard_webhooks", WHSEC)
    headers = sign_standard(WHSEC, "d-1", NOW, body.encode())

    assert [name for name, _ in headers] == [b"webhook-id", b"webhook-timestamp", b"webhook-signature"]
    assert isinstance(receive(make_request(body.encode(), headers), touchpoint), Verified)
    theirs = standardwebhooks.Webhook(WHSEC).sign("d-1", datetime.fromtimestamp(NOW // SECOND, UTC), body)
    assert headers[2][1].decode() == theirs

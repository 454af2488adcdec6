"""Signing test events, and what we send by Standard Webhooks."""

from datetime import UTC, datetime

import pytest
import standardwebhooks

from tests.touchpoints.factory import NOW, URL, WHSEC, make_request, make_touchpoint
from touchpoints.moment import SECOND
from touchpoints.problem import ProblemError
from touchpoints.provider import providers
from touchpoints.receive import receive
from touchpoints.request import Verified
from touchpoints.sign import sample, sign, sign_standard, signed_url
from touchpoints.touchpoint import Touchpoint, Verification


def generic(**fields: str) -> Touchpoint:
    """A generic touchpoint with one secret."""
    return make_touchpoint("generic", "us:er", verification=Verification(**fields))  # type: ignore[arg-type]  # text fields only


@pytest.mark.parametrize("name", [row.name for row in providers().values() if row.verify])
def test_a_providers_sample_is_received_as_its_event(name: str) -> None:
    """Signed, with its type, an id that dedup knows, and a number where the provider has one."""
    touchpoint = make_touchpoint(name, WHSEC)
    body = sample(touchpoint)
    verified = receive(make_request(body, sign(touchpoint, body, (), NOW, URL, "test_1")), touchpoint)

    assert isinstance(verified, Verified)
    assert verified.event_type == providers()[name].sample.event_type
    assert verified.dedup_key


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
        generic(scheme="token", credential="header:x-key"),
        generic(scheme="token", credential="header:authorization", prefix="Bearer "),
        generic(scheme="basic"),
    ],
)
def test_every_scheme_can_be_signed(touchpoint: Touchpoint) -> None:
    """Signing is the inverse of verification."""
    body = sample(touchpoint)

    assert isinstance(receive(make_request(body, sign(touchpoint, body, (), NOW, URL, "m")), touchpoint), Verified)


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
        (generic(scheme="token", credential="json:/token"), "test_unsignable"),
        (generic(scheme="hmac", signature="json:/signature", signed="{json:/id}"), "test_unsignable"),
        (generic(scheme="hmac", signature="header:x", signed="{json:/nothing}"), "test_unsignable"),
    ],
)
def test_what_cannot_be_signed_is_said(touchpoint: Touchpoint, code: str) -> None:
    """With the mend, and without the secret."""
    with pytest.raises(ProblemError) as caught:
        sign(touchpoint, sample(touchpoint), (), NOW, URL, "m")

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

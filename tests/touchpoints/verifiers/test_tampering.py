"""Whatever a stranger makes of a rightly signed request: it is proved only where what was signed stayed as it was."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, URL, fitting_secret, make_request, make_touchpoint
from touchpoints.event import Headers
from touchpoints.pointer import node_at
from touchpoints.provider import providers
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.sign import sample, sign, signed_body, signed_url
from touchpoints.signer import chosen
from touchpoints.template import Material
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verifiers import adyen, twilio
from touchpoints.verifiers.proof import plan_of

ONLY_SENDER = {"asymmetric", "jwt", "sns", "paypal", "ebay"}
SIGNED = {"hmac", "hash_prefix", "twilio", "adyen", "braintree"}
HOST = "https://hooks.example.com:8420"


def event_of(touchpoint: Touchpoint) -> Request:
    """A rightly signed event."""
    url = signed_url(touchpoint, URL)
    body = signed_body(touchpoint, sample(touchpoint), NOW, "m-1")
    return make_request(body, sign(touchpoint, body, (), NOW, url, "m-1"), url=url, target=url.removeprefix(HOST))


def signable() -> list[Touchpoint]:
    """Every provider whose events can be signed here, with what signs it as its only verification."""
    found = []
    for name in providers():
        verification = providers()[name].verification()
        if verification.scheme in SIGNED and (
            verification.signature or verification.layout != "plain" or verification.scheme != "hmac"
        ):
            touchpoint = make_touchpoint(name, fitting_secret(name), handshake="")
            found.append(replace(touchpoint, verification=chosen(touchpoint, sample(touchpoint)).verification, alternatives=()))
    return found


def signed_part(verification: Verification, request: Request) -> Any:
    """What the proof covers, as values that are equal only when nothing of it was changed."""
    reading = Reading(request)
    if verification.scheme == "twilio":
        return twilio.signed_fields(reading), {*twilio.spellings(request.url)}
    if verification.scheme == "adyen":
        items = node_at(reading.document(), (adyen.LIST,))
        return {adyen.signed_text(node_at(item, (adyen.ITEM,))) for item in items}
    if verification.scheme == "braintree":
        return [payload.removesuffix(b"\n") for payload in reading.field(b"bt_payload")]
    plan = plan_of(verification)
    place = verification.timestamp.rpartition(":")[0]
    ts = selector(place).values(reading) if place and not place.startswith("sigfield:") else []
    id_ = selector(verification.message_id).values(reading) if verification.message_id else []
    return plan.signed.pieces(Material(reading, b"".join(ts), b"".join(id_), b""))


TOUCHPOINTS = signable()
EVENTS = [(touchpoint, event_of(touchpoint)) for touchpoint in TOUCHPOINTS]


def cut(text: bytes, place: int, length: int, instead: bytes) -> bytes:
    """The text with another piece in place of one of its own."""
    start = place % (len(text) + 1)
    return text[:start] + instead + text[start + length :]


def spoiled(request: Request, part: str, place: int, length: int, instead: bytes) -> Request:
    """The request with one of its parts changed."""
    if part == "body":
        return replace(request, body=cut(request.body, place, length, instead))
    if part == "url":
        path = cut(request.url[len(HOST) :].encode(), place, length, instead).decode("latin-1")
        return replace(request, url=HOST + path, target=path)
    if part == "method":
        return replace(request, method=("PUT", "GET", "post")[place % 3])
    headers: Sequence[tuple[bytes, bytes]] = request.headers
    index = place % len(headers)
    name, value = headers[index]
    changed = (name, cut(value, length, 1, instead))
    others: dict[str, Headers] = {
        "header": (*headers[:index], changed, *headers[index + 1 :]),
        "without": (*headers[:index], *headers[index + 1 :]),
        "twice": (*headers, changed),
        "before": (changed, *headers),
    }
    return replace(request, headers=others[part])


PARTS = st.sampled_from(["body", "body", "header", "without", "twice", "before", "url", "method"])
PIECES = st.binary(max_size=6) | st.sampled_from(
    [b'"', b"{}", b"[", b"0", b"&", b"=", b"%3A", b":", b",", b"\\u0000", b"null", b'","id":"', b"?", b" ", b"\n", b"\x80"]
)


@pytest.mark.parametrize(("touchpoint", "right"), EVENTS, ids=lambda one: getattr(one, "provider", ""))
@given(changes=st.lists(st.tuples(PARTS, st.integers(0, 5000), st.integers(0, 40), PIECES), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_is_proved_was_signed(touchpoint: Touchpoint, right: Request, changes: list[tuple[str, int, int, bytes]]) -> None:
    """One part or several changed at once: refused, or nothing of what is signed was touched."""
    assert isinstance(receive(right, touchpoint), Verified)
    request = right
    for part, place, length, instead in changes:
        if request.headers:
            request = spoiled(request, part, place, length, instead)

    received = receive(request, touchpoint)

    assert isinstance(received, Verified | Refused)
    if isinstance(received, Verified):
        verification = touchpoint.verification
        assert signed_part(verification, request) == signed_part(verification, right)


NAMES = sorted({name for _, request in EVENTS for name, _ in request.headers} | {b"authorization", b"x-ebay-signature"})
BODIES = st.binary(max_size=80) | st.sampled_from(
    [
        b'{"notificationItems":[{"NotificationRequestItem":{"additionalData":{"hmacSignature":"AAAA"}}}]}',
        b'{"Signature":"AA==","SignatureVersion":"2","Type":"Notification","TopicArn":"x"}',
        b"bt_signature=public_1|00&bt_payload=AA",
        b'{"value":[{"clientState":""}]}',
        b"e30.e30.e30",
        b"<Envelope><Body><notifications><OrganizationId/></notifications></Body></Envelope>",
        b'{"signature":{"timestamp":"1795000000","token":"t","signature":"00"}}',
    ]
)
VALUES = st.binary(max_size=60) | st.sampled_from(
    [
        b"t=1795000000,v1=00",
        b"v1,AA==",
        b"sha256=" + b"0" * 64,
        b"0" * 64,
        b"A" * 43 + b"=",
        b"1795000000",
        b"v1",
        b"Bearer e30.e30.e30",
    ]
)


@given(
    st.sampled_from([name for name in providers() if providers()[name].verify]),
    BODIES,
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
    st.text(max_size=30),
)
@settings(max_examples=1500, deadline=None)
def test_nothing_a_stranger_sends_to_any_provider_makes_it_fail(
    name: str, body: bytes, headers: list[tuple[bytes, bytes]], target: str
) -> None:
    """Every request ends in a value, and a stranger's never in a proof."""
    touchpoint = make_touchpoint(name, fitting_secret(name), handshake="")

    assert isinstance(receive(make_request(body, headers, target=target, url=URL + target), touchpoint), Refused | Wanting)


def test_the_providers_are_many() -> None:
    """The list is not emptied by accident."""
    assert len(EVENTS) > 30

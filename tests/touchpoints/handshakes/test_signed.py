"""Challenges that are answered by something computed under a secret: right, and of no use to whoever else asks.

Why no answer can be used for anything but the handshake:

- **X** signs a bare body with the key that answers `crc_token`. A token is letters, digits and `._~+/=-`; every event is a JSON
  object, which begins with a brace. And should somebody post a signed token as a body, it is refused by its shape.
- **Zoom** signs `v0:TIMESTAMP:BODY`; a token has no colon, so no token is such a text. Besides, only a request that Zoom signed
  is answered, so that a stranger gets nothing signed at all.
- **Braintree** signs `bt_payload`, Base64 of XML. A challenge is 20 to 32 lower-case hexadecimal digits; 24 of them are Base64,
  too, of bytes that are no XML, and a payload of that shape is refused.
- **eBay**'s answer is a hash over the challenge, the verify token and the URL. Nothing else is made with the verify token:
  events are signed by eBay's own private key. What a stranger gets serves for guessing the token offline: it must be long.
- **Meta**'s echo computes nothing. Its verify token is compared in constant time, and is not the secret that signs events.
"""

import base64
import hashlib
import importlib
import json
import warnings
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request
from tests.touchpoints.handshakes.cases import SECRET, VERIFY_TOKEN, signature, signed, touchpoint
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Verified
from touchpoints.touchpoint import Touchpoint, Verification

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~+/=-", min_size=1, max_size=256)


def asked(made: Touchpoint, **parameters: str) -> Answer:
    """The answer to a GET with these parameters."""
    query = urlencode(parameters)
    url = f"https://hooks.example.com/hooks/asked?{query}"
    answer = receive(make_request(b"", method="GET", target=f"/hooks/asked?{query}", url=url), made)
    assert isinstance(answer, Answer)
    return answer


@given(TOKENS)
def test_what_x_has_signed_is_never_an_event(token: str) -> None:
    """A stranger asks with the body of an event to be, and gets the very signature that X would send."""
    made = replace(
        touchpoint("hmac_token:crc_token", SECRET),
        verification=Verification(signature="header:x-signature", prefix="sha256=", encoding="base64"),
    )
    document = asked(made, crc_token=token).body
    signature_of_x = document.partition(b'"response_token":"')[2].removesuffix(b'"}')

    request = make_request(token.encode(), ((b"x-signature", signature_of_x),))
    assert receive(request, made) == Refused(code="challenge_as_event")


@pytest.mark.parametrize("length", [1, 256])
def test_the_shortest_and_the_longest_token_are_no_events_either(length: int) -> None:
    """What is signed is refused to its last character."""
    made = touchpoint("hmac_token:crc_token", SECRET)

    assert asked(made, crc_token="a" * length).status == 200
    assert receive(make_request(b"a" * length, signed(b"a" * length)), made) == Refused(code="challenge_as_event")


def test_an_event_of_zoom_that_speaks_of_validations_is_one() -> None:
    """Only the event of that name is a challenge."""
    made = touchpoint("hmac_token:plainToken", SECRET)
    body = b'{"event":"app.note","payload":{"text":"endpoint.url_validation","plainToken":"a"}}'

    assert isinstance(receive(make_request(body, signed(body)), made), Verified)


def test_an_event_of_braintree_is_one() -> None:
    """Base64 of XML, with the line breaks that its library puts in."""
    made = touchpoint(
        "hmac_token:bt_challenge", "public:private", verification=Verification(scheme="none", allow_unsigned=True)
    )
    for payload in (base64.b64encode(b"<notification/>"), base64.encodebytes(b"<notification>" * 10), b"a" * 33, b"a" * 19):
        body = urlencode({"bt_signature": "public|x", "bt_payload": payload}).encode()
        assert isinstance(receive(make_request(body), made), Verified), payload
    assert isinstance(receive(make_request(b"{}"), made), Verified)


def test_an_event_of_x_is_one() -> None:
    """It begins with a brace; so does whatever else a sender signs that no token can be."""
    made = touchpoint("hmac_token:crc_token", SECRET)
    for body in (b'{"tweet_create_events":[]}', b"[1]", b'"a"', b"a" * 257, b""):
        assert isinstance(receive(make_request(body, signed(body)), made), Verified), body


@given(st.text(max_size=300), st.binary(max_size=300))
def test_no_challenge_of_zoom_is_answered_without_a_signature(token: str, noise: bytes) -> None:
    """Whatever is asked, nothing is signed for who cannot sign."""
    made = touchpoint("hmac_token:plainToken", SECRET)
    document = _validation(token)
    for body in (document, noise):
        assert isinstance(receive(make_request(body), made), Refused)
        assert isinstance(receive(make_request(body, ((b"x-signature", signature(body, "guessed")),)), made), Refused)


@pytest.mark.parametrize("token", ["v0:1:{}", "a:b", ":", "", "a" * 257, "{}", "v0 1"])
def test_zooms_token_is_never_like_what_zoom_signs(token: str) -> None:
    """Even asked by Zoom itself: no colon."""
    made = touchpoint("hmac_token:plainToken", SECRET)
    body = _validation(token)

    assert receive(make_request(body, signed(body)), made) == Answer(status=400)


def _validation(token: str) -> bytes:
    return json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": token}}).encode()


def _braintree() -> Any:
    """The vendor's library, which warns of itself on import and has no types."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("braintree")


@given(st.text("abcdef0123456789", min_size=20, max_size=32))
def test_braintrees_challenge_is_answered_as_its_library_does(challenge: str) -> None:
    """The vendor's own code is the measure; public key, bar, digest."""
    braintree = _braintree()
    gateway = braintree.BraintreeGateway(
        braintree.Configuration(
            environment=braintree.Environment.Sandbox, merchant_id="merchant", public_key="public", private_key="private"
        )
    )
    made = touchpoint("hmac_token:bt_challenge", "public:private")

    assert asked(made, bt_challenge=challenge).body.decode() == gateway.webhook_notification.verify(challenge)


@given(st.text("abcdef0123456789", min_size=20, max_size=32), st.sampled_from(["", "\n", " ", "\r\n"]))
def test_what_braintree_has_signed_is_never_an_event(challenge: str, end: str) -> None:
    """A payload that is a challenge is refused, whatever proved it."""
    made = touchpoint(
        "hmac_token:bt_challenge", "public:private", verification=Verification(scheme="none", allow_unsigned=True)
    )
    body = urlencode(
        {"bt_signature": asked(made, bt_challenge=challenge).body.decode(), "bt_payload": challenge + end}
    ).encode()

    assert receive(make_request(body), made) == Refused(code="challenge_as_event")
    twice = body + b"&bt_payload=" + base64.b64encode(b"<notification/>")
    assert receive(make_request(twice), made) == Refused(code="challenge_as_event")


@pytest.mark.parametrize(
    "challenge", ["a" * 19, "a" * 33, "A" * 20, "g" * 20, "a" * 20 + "\n", base64.b64encode(b"<n/>" * 6).decode()]
)
def test_braintree_signs_nothing_of_another_shape(challenge: str) -> None:
    """Above all no Base64 of XML."""
    assert asked(touchpoint("hmac_token:bt_challenge", "public:private"), bt_challenge=challenge) == Answer(status=400)


@pytest.mark.parametrize("secret", ["no-colon", ":private", "public:", "pub lic:private"])
def test_half_a_secret_answers_no_challenge(secret: str) -> None:
    """401, and nothing is echoed that is no key's name."""
    challenge = "a" * 20
    assert asked(touchpoint("hmac_token:bt_challenge", secret), bt_challenge=challenge) == Answer(status=401)


def test_the_first_secret_answers_while_another_is_rotated_out() -> None:
    """Senders take one answer; the new secret stands in front."""
    new, both = (touchpoint("hmac_token:crc_token", *secrets) for secrets in (("new",), ("new", "old")))
    assert asked(both, crc_token="t") == asked(new, crc_token="t")


@pytest.mark.parametrize("token", ["", "wrong", VERIFY_TOKEN + "x", VERIFY_TOKEN[:-1], "é"])
def test_meta_is_echoed_only_with_our_token(token: str) -> None:
    """403 without a word."""
    made = touchpoint("echo_query_if_token:hub", SECRET)
    parameters = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": token}

    assert asked(made, **parameters) == Answer(status=403)
    assert asked(replace(made, verify_token=""), **parameters) == Answer(status=403)


def test_meta_must_say_all_of_it() -> None:
    """Without a token 403; with it, but for another purpose, 400."""
    made = touchpoint("echo_query_if_token:hub", SECRET)
    right = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": VERIFY_TOKEN}

    assert asked(made, **right).status == 200
    assert asked(made, **{"hub.mode": "subscribe", "hub.challenge": "1"}).status == 403
    assert asked(made, **{**right, "hub.mode": "unsubscribe"}).status == 400
    assert asked(made, **{key: value for key, value in right.items() if key != "hub.challenge"}).status == 400


def test_ebay_hashes_code_token_and_the_url_it_was_given() -> None:
    """Without the query, whatever the request said of hosts. https://github.com/eBay/event-notification-nodejs-sdk"""
    made = touchpoint("sha256_concat:challenge_code", verify_token="t" * 40)
    found = hashlib.sha256(b"a1" + b"t" * 40 + b"https://hooks.example.com/hooks/asked").hexdigest()

    assert asked(made, challenge_code="a1").body == b'{"challengeResponse":"%b"}' % found.encode()
    assert asked(replace(made, verify_token=""), challenge_code="a1") == Answer(status=403)

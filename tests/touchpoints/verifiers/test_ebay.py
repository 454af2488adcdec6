"""eBay's notifications, right, wrong and hostile."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from tests.touchpoints.keys import ec_key, published, rsa_key, signature
from tests.touchpoints.verifiers.keyed import at_hand, outcome
from touchpoints.event import Headers
from touchpoints.key_reading import read_published
from touchpoints.published_key import KeyPlace
from touchpoints.verifiers.ebay import is_credential

SECRET = "Shop-App-PRD-1:PRD-secret"
KEY_ID = "9936261a-7d7b-4621-a0f1-96ccb428af49"
PLACE = KeyPlace(kind="ebay", url=f"https://api.ebay.com/commerce/notification/v1/public_key/{KEY_ID}", credential=SECRET)
KEYS = at_hand(published(PLACE, _=ec_key()))
BODY = b'{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION"}}'

# github.com/eBay/event-notification-nodejs-sdk, test/test.json: VALID and SIGNATURE_MISMATCH
PUBLISHED_KEY = (
    "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/"
    "upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----"
)
PUBLISHED_SIGNATURE = (
    b"eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4"
    b"bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRp"
    b"Z2VzdCI6IlNIQTEifQ=="
)
PUBLISHED_MISMATCH = (
    b"eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FVUNJUUNHY1NubUFr"
    b"VGZyK1paMlZnMGJXRW9zOGEvdGVCcWk3UGU2OCtoR21MTUNRSWdlRnZrcnRvKzhkczhSVndJM0dnbjFtTUdDck5NRVpKM1NSbE8yZngveHFJPSIsImRp"
    b"Z2VzdCI6IlNIQTEifQ=="
)
PUBLISHED_MESSAGE = {
    "metadata": {"topic": "MARKETPLACE_ACCOUNT_DELETION", "schemaVersion": "1.0", "deprecated": False},
    "notification": {
        "notificationId": "49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d",
        "eventDate": "2021-03-19T20:43:59.462Z",
        "publishDate": "2021-03-19T20:43:59.679Z",
        "publishAttemptCount": 1,
        "data": {
            "username": "test_user",
            "userId": "ma8vp1jySJC",
            "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ==",
        },
    },
}


def header(value: Any) -> Headers:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return ((b"x-ebay-signature", base64.b64encode(raw)),)


def sent(body: bytes = BODY, key: Any = None, **fields: Any) -> Headers:
    mark = base64.b64encode(signature("ecdsa-sha1", key or ec_key(), body)).decode()
    return header({"alg": "ecdsa", "kid": KEY_ID, "signature": mark, "digest": "SHA1", **fields})


def why(body: bytes = BODY, headers: Headers | None = None, *secrets: str, keys: Any = KEYS) -> Any:
    headers = sent(body) if headers is None else headers
    return outcome(make_request(body, headers), make_touchpoint("ebay", *(secrets or (SECRET,))), keys)


def test_ebays_published_vectors() -> None:
    """The valid one is proved, the other is not, and neither is another message."""
    answer = json.dumps({"key": PUBLISHED_KEY, "algorithm": "ECDSA", "digest": "SHA1"}).encode()
    keys = at_hand(read_published(PLACE, answer, NOW))
    body = json.dumps(PUBLISHED_MESSAGE, separators=(",", ":")).encode()

    assert why(body, ((b"x-ebay-signature", PUBLISHED_SIGNATURE),), keys=keys) == ""
    assert why(body, ((b"x-ebay-signature", PUBLISHED_MISMATCH),), keys=keys) == "signature_wrong"
    assert why(body.replace(b'"1.0"', b"null"), ((b"x-ebay-signature", PUBLISHED_SIGNATURE),), keys=keys) == "signature_wrong"


def test_only_the_body_that_was_signed_is_proved() -> None:
    """By the key of the id that the header names."""
    assert why() == ""
    assert why(BODY + b" ", sent()) == "signature_wrong"
    assert why(headers=sent(key=ec_key("other"))) == "signature_wrong"
    assert why(keys=at_hand(published(PLACE, _=rsa_key()))) == "signature_wrong"
    assert why(BODY, ()) == "signature_missing"
    assert why(BODY, (*sent(), *sent())) == "signature_ambiguous"


def test_the_key_is_asked_for_with_the_applications_own_credential() -> None:
    """With each of several while rotating; any of them will do. In the sandbox for an application of the sandbox."""
    sandbox = "Shop-App-SBX-1:SBX-secret"
    other = KeyPlace(kind="ebay", url=PLACE.url.replace("api.", "api.sandbox."), credential=sandbox)
    assert why(BODY, None, SECRET, sandbox, keys={}) == (PLACE, other)
    assert why(BODY, None, "no credential", SECRET, keys={}) == (PLACE,)
    assert why(BODY, None, "other:secret", SECRET) == ""
    assert why(BODY, None, "no credential") == "secret_unusable"
    assert SECRET not in repr(PLACE)
    assert why(BODY, None, SECRET, sandbox, keys=at_hand(published(other, _=ec_key()))) == ""
    both = at_hand(published(PLACE, _=ec_key()), published(other, _=ec_key("other")))
    assert why(BODY, None, SECRET, sandbox, keys=both) == why(BODY, None, sandbox, SECRET, keys=both) == ""


@pytest.mark.parametrize(
    "key_id", ["", "../x", "..", "a/b", "a?b", "a#b", "a%2fb", "é", "a" * 65, "a b", "-a", "a\n", "a\\b", "a:b", 7, None, ["a"]]
)
def test_no_key_id_leads_to_another_address(key_id: Any) -> None:
    """It becomes a part of one that is asked with our credential."""
    assert why(headers=sent(kid=key_id), keys={}) == "signature_malformed"


@pytest.mark.parametrize(
    "value",
    [b"", b"x", b"[]", b"null", b"{}", b"\xff", b"[" * 2000, b" " * 5000, {"kid": KEY_ID}, {"kid": KEY_ID, "signature": 7}],
)
def test_a_header_that_is_no_object_is_refused(value: Any) -> None:
    """As are fields that lack or are no text."""
    assert why(headers=header(value)) == "signature_malformed"


def test_the_word_of_the_header_is_not_taken_for_the_algorithm() -> None:
    """It is always ECDSA over SHA-1, whatever it says."""
    assert why(headers=sent(alg="none")) == ""
    assert why(headers=sent(alg="none", signature="")) == "signature_wrong"
    other = base64.b64encode(signature("ecdsa-sha256", ec_key(), BODY)).decode()
    assert why(headers=sent(signature=other, digest="SHA256")) == "signature_wrong"


@given(st.binary(max_size=200) | st.binary(max_size=60).map(base64.b64encode), st.binary(max_size=20))
def test_no_header_raises_and_none_is_proved_by_chance(value: bytes, body: bytes) -> None:
    """Whatever stands in it."""
    assert why(body, ((b"x-ebay-signature", value),)) != ""


def test_the_form_of_a_credential() -> None:
    """Plain characters with a colon between them."""
    for secret in (SECRET, f" {SECRET}\n", "a:b", "a:b:c", "a:b c"):
        assert is_credential(secret), secret
    for secret in ("", ":", "a:", ":b", "ab", " : ", "a:\u00e9", "\u00e9:b", "a:b\tc", "a:b\nc"):
        assert not is_credential(secret), secret


@given(st.text())
def test_what_is_taken_for_a_credential_can_stand_in_a_header(secret: str) -> None:
    """It is sent in one."""
    if is_credential(secret):
        client, _, password = secret.strip().partition(":")
        assert client
        assert password
        assert f"{client}{password}".isascii()
        assert f"{client}{password}".isprintable()

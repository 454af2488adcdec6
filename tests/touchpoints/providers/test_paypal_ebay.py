"""PayPal and eBay: a certificate and a key that they publish; eBay's own vectors."""

import json
import zlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants
from tests.touchpoints.providers.keys import kept, signature_of
from tests.touchpoints.providers.libraries import sample_of
from touchpoints.moment import DAY, Micros
from touchpoints.published_key import KeyPlace, Keys
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified, Wanting

WEBHOOK = "1JE4291016473214C"
_PAYPAL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


def _paypal(_now: Micros) -> Request:
    # developer.paypal.com/api/rest/webhooks/rest: self-verification
    body, transmission, time = sample_of("paypal"), "69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-11-18T09:46:40Z"
    text = f"{transmission}|{time}|{WEBHOOK}|{zlib.crc32(body.encode())}"
    headers = {
        "PAYPAL-TRANSMISSION-ID": transmission,
        "PAYPAL-TRANSMISSION-TIME": time,
        "PAYPAL-TRANSMISSION-SIG": signature_of(text.encode()),
        "PAYPAL-CERT-URL": _PAYPAL,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }
    return post(body, headers)


def _other_transmissions(request: Request) -> tuple[Request, ...]:
    others = {
        "paypal-transmission-id": b"69cd13f0",
        "paypal-transmission-time": b"2026-11-18T09:46:41Z",
        "paypal-cert-url": b"https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "paypal-auth-algo": b"SHA1withRSA",
    }
    moved = [tuple((k, others[n] if k.decode() == n else v) for k, v in request.headers) for n in others]
    return (*changed(request), *(replace(request, headers=headers) for headers in moved))


# github.com/eBay/event-notification-nodejs-sdk: test/test.json, its message, key, and the right and the wrong signature.
_EBAY_KEY = (
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/"
    "upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==\n-----END PUBLIC KEY-----"
)
_EBAY_RIGHT = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4"
    "bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRp"
    "Z2VzdCI6IlNIQTEifQ=="
)
_EBAY_WRONG = (
    "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FVUNJUUNHY1NubUFr"
    "VGZyK1paMlZnMGJXRW9zOGEvdGVCcWk3UGU2OCtoR21MTUNRSWdlRnZrcnRvKzhkczhSVndJM0dnbjFtTUdDck5NRVpKM1NSbE8yZngveHFJPSIsImRp"
    "Z2VzdCI6IlNIQTEifQ=="
)
_EBAY_MESSAGE = {
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
_APPLICATION, _SANDBOX = "ann-app-PRD-1:PRD-cert", "ann-app-SBX-1:SBX-cert"


def _ebay(signature: str = _EBAY_RIGHT) -> Request:
    return post(json.dumps(_EBAY_MESSAGE, separators=(",", ":")), {"X-EBAY-SIGNATURE": signature})


def _ebay_keys() -> Keys:
    path = "/commerce/notification/v1/public_key/9936261a-7d7b-4621-a0f1-96ccb428af49"
    der = load_pem_public_key(_EBAY_KEY.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    live = KeyPlace(kind="ebay", url=f"https://api.ebay.com{path}", credential=_APPLICATION)
    sandbox = KeyPlace(kind="ebay", url=f"https://api.sandbox.ebay.com{path}", credential=_SANDBOX)
    return kept(live, sandbox, der=der)


CASES = [
    Case(
        provider="paypal",
        send=_paypal,
        secret=WEBHOOK,
        wrong=WEBHOOK[::-1],
        proof="paypal-transmission-sig",
        event_type="PAYMENT.CAPTURE.COMPLETED",
        dedup="WH-58D329510W468432D-8HN650336L201105X",
        reference="1042",
        tampered=_other_transmissions,
        keys=kept(KeyPlace(kind="x509", url=_PAYPAL)),
    ),
    Case(
        provider="ebay",
        send=lambda _now: _ebay(),
        secret=_APPLICATION,
        wrong=_SANDBOX,
        proof="x-ebay-signature",
        event_type="MARKETPLACE_ACCOUNT_DELETION",
        dedup="49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d",
        reference="test_user",
        wrong_code=None,
        keys=_ebay_keys(),
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.keys], ids=lambda case: f"{case.provider}{case.name}")
def test_a_published_key_that_is_not_at_hand_is_wanted(case: Case) -> None:
    """From the very place that is pinned, and from no other."""
    wanting = receive(case.send(NOW), case.made(case.secret))

    assert isinstance(wanting, Wanting)
    assert {place.url for place in wanting.keys} <= {place.url for place in case.keys}


def test_ebays_vectors() -> None:
    """Its right signature proves, and its wrong one does not."""
    touchpoint = make_touchpoint("ebay", _APPLICATION)

    assert isinstance(receive(_ebay(), touchpoint, _ebay_keys()), Verified)
    assert receive(_ebay(_EBAY_WRONG), touchpoint, _ebay_keys()) == Refused(code="signature_wrong")


def test_an_expired_certificate_proves_nothing() -> None:
    """PayPal and SNS publish certificates, whose end counts."""
    for case in CASES:
        if case.provider in {"paypal", "aws_sns"}:
            expired = {place: replace(kept, not_after=NOW - DAY) for place, kept in case.keys.items()}
            assert receive(case.send(NOW), case.made(case.secret), expired) == Refused(code="certificate_expired")

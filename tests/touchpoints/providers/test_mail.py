"""SendGrid, Mailgun: what became of an e-mail."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sendgrid.helpers.eventwebhook import EventWebhook

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.hmacs import in_hex
from tests.touchpoints.providers.libraries import asked, body_key, sample_of
from touchpoints.moment import HOUR, MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified

KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
MAILGUN = "key-ExampleSigningKey"
TOKEN = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"

# sendgrid-python 6.12.5, test/unit/test_eventwebhook.py; https://www.twilio.com/docs/sendgrid, event webhook security features
PUBLISHED_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7"
    "dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
PUBLISHED_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
PUBLISHED_STAMP = "1600112502"
PUBLISHED_EVENT = {
    "email": "hello@world.com",
    "event": "dropped",
    "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
    "timestamp": 1600112492,
}
PUBLISHED_BODY = json.dumps([PUBLISHED_EVENT], separators=(",", ":")) + "\r\n"


def spki(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as SendGrid shows it."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _sendgrid_headers(signature: str, stamp: str) -> dict[str, str]:
    return {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": stamp}


def _sendgrid(now: Micros) -> Request:
    body, stamp = sample_of("sendgrid") + "\r\n", str(now // SECOND)
    signature = base64.b64encode(KEY.sign((stamp + body).encode(), ec.ECDSA(SHA256()))).decode()
    return post(body, _sendgrid_headers(signature, stamp))


def mailgun_body(stamp: str, token: str = TOKEN, **changes: Any) -> str:
    """Mailgun's body: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks."""
    body = json.loads(sample_of("mailgun"))
    body["signature"] = {"token": token, "timestamp": stamp, "signature": in_hex(stamp + token, MAILGUN)}
    body["event-data"] |= changes
    return json.dumps(body)


def _mailgun(now: Micros) -> Request:
    return post(mailgun_body(str(now // SECOND)), {"Content-Type": "application/json"})


def _mailgun_form(now: Micros) -> Request:
    stamp = str(now // SECOND)
    body = f"timestamp={stamp}&token={TOKEN}&signature={in_hex(stamp + TOKEN, MAILGUN)}&event=opened&Message-Id=%3C1%40x%3E"
    return post(body, {"Content-Type": "application/x-www-form-urlencoded"})


def _other_proof(request: Request) -> tuple[Request, ...]:
    """What Mailgun signs, changed: the token and the time; and the signature itself."""
    body = request.body
    stamp = str(NOW // SECOND).encode()
    signature = in_hex(str(NOW // SECOND) + TOKEN, MAILGUN).encode()
    others = (
        body.replace(TOKEN.encode(), TOKEN[:-1].encode() + b"4"),
        body.replace(stamp, str(NOW // SECOND + 1).encode()),
        body.replace(signature, b"0" * 64),
        body.replace(signature, b""),
    )
    return tuple(replace(request, body=one) for one in others)


CASES = [
    Case(
        provider="sendgrid",
        send=_sendgrid,
        secret=spki(KEY),
        wrong=spki(OTHER_KEY),
        proof="x-twilio-email-event-webhook-signature",
        event_type="delivered",
        dedup=body_key(sample_of("sendgrid") + "\r\n"),
        stamped=25 * HOUR,
    ),
    Case(
        provider="mailgun",
        send=_mailgun,
        secret=MAILGUN,
        wrong="key-Other",
        event_type="delivered",
        dedup=TOKEN,
        reference="20260101000000.1.sample@example.com",
        stamped=9 * HOUR,
        tampered=_other_proof,
    ),
    Case(
        provider="mailgun",
        name="form",
        send=_mailgun_form,
        secret=MAILGUN,
        wrong="key-Other",
        event_type="opened",
        dedup=TOKEN,
        reference="<1@x>",
        stamped=9 * HOUR,
        tampered=_other_proof,
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_sendgrids_libraries_agree() -> None:
    """Both languages' libraries prove the request that we prove, and no other body."""
    request = _sendgrid(NOW)
    headers = {name.decode(): value.decode() for name, value in request.headers}
    signature = headers["x-twilio-email-event-webhook-signature"]
    stamp = headers["x-twilio-email-event-webhook-timestamp"]
    asking = {"ask": "sendgrid_verify", "key": spki(KEY), "signature": signature, "timestamp": stamp}

    library = EventWebhook(spki(KEY))
    assert library.verify_signature(request.body.decode(), signature, stamp)
    assert not library.verify_signature(request.body.decode().strip(), signature, stamp)
    questions = [{**asking, "body": body} for body in (request.body.decode(), request.body.decode().strip())]
    assert asked(*questions) == [True, False]


def test_sendgrids_published_event() -> None:
    """The key, time, body and signature that SendGrid publishes; without the line end that belongs to the body it is none."""
    sent = int(PUBLISHED_STAMP) * SECOND
    request = post(PUBLISHED_BODY, _sendgrid_headers(PUBLISHED_SIGNATURE, PUBLISHED_STAMP), received_at=sent + MINUTE)
    touchpoint = make_touchpoint("sendgrid", PUBLISHED_KEY)

    received = receive(request, touchpoint)

    assert isinstance(received, Verified)
    assert received.event_type == "dropped"
    assert receive(replace(request, body=request.body.rstrip()), touchpoint) == Refused(code="signature_wrong")


def test_an_item_of_sendgrid_has_its_own_id() -> None:
    """Alone, as splitting makes it, an event is told by its id and not by its bytes."""
    body = json.dumps(PUBLISHED_EVENT)
    stamp = str(NOW // SECOND)
    signature = base64.b64encode(KEY.sign((stamp + body).encode(), ec.ECDSA(SHA256()))).decode()

    received = receive(post(body, _sendgrid_headers(signature, stamp)), make_touchpoint("sendgrid", spki(KEY)))

    assert isinstance(received, Verified)
    assert (received.event_type, received.dedup_key) == ("dropped", f"7:{PUBLISHED_EVENT['sg_event_id']}")


def test_a_body_that_mailgun_did_not_sign_is_told_by_its_token() -> None:
    """Whoever saw a delivery can send its proof with another body: it is proved, but has the same key, so it is a repeat."""
    touchpoint, stamp = make_touchpoint("mailgun", MAILGUN), str(NOW // SECOND)
    first, forged = (receive(post(mailgun_body(stamp, event=event), {}), touchpoint) for event in ("delivered", "unsubscribed"))

    assert isinstance(first, Verified)
    assert isinstance(forged, Verified)
    assert first.dedup_key == forged.dedup_key == f"7:{TOKEN}"
    assert first.id_signed


def test_mailguns_proof_is_missing_or_there_in_part() -> None:
    """Without a signature, a token or a time nothing is proved."""
    touchpoint = make_touchpoint("mailgun", MAILGUN)
    whole = json.loads(mailgun_body(str(NOW // SECOND)))
    codes = []
    for name in ("signature", "token", "timestamp"):
        body = {**whole, "signature": {key: value for key, value in whole["signature"].items() if key != name}}
        received = receive(post(json.dumps(body), {}), touchpoint)
        assert isinstance(received, Refused)
        codes.append(received.code)

    assert codes == ["signature_missing", "signature_missing", "timestamp_missing"]

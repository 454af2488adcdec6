"""Freshdesk, Zendesk, Intercom, Segment, ShipStation: customers, what they write and do, and what is sent to them."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants, without
from tests.touchpoints.providers.hmacs import in_base64, in_hex
from tests.touchpoints.providers.libraries import sample_of
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.published_key import KeyPlace, Keys, PublishedKeys
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request, Verified, Wanting

SECRET, WRONG = "sample-secret", "sample-secreu"
BASIC, OTHER_BASIC = "sample:pass word", "sample:pass worc"
ZENDESK = {"X-Zendesk-Webhook-Invocation-Id": "8350205582"}
NOTIFICATION = "notif_00000000-0000-4000-8000-000000000000"

SHIPPING = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PLACE = KeyPlace(kind="jwks", url="https://api.shipengine.com/jwks")


def _published(private: rsa.RSAPrivateKey) -> Keys:
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {PLACE: PublishedKeys(place=PLACE, keys={"kid-1": der}, fetched_at=NOW)}


def _freshdesk(headers: dict[str, str]) -> Request:
    # https://support.freshdesk.com/support/solutions/articles/132589-using-webhooks-in-automation-rules
    return post(sample_of("freshdesk"), headers)


def basic(credential: str) -> dict[str, str]:
    """RFC 7617."""
    return {"Authorization": "Basic " + base64.b64encode(credential.encode()).decode()}


def iso(now: Micros) -> str:
    """A moment as these senders write it."""
    return datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _zendesk(now: Micros) -> Request:
    # https://developer.zendesk.com/documentation/webhooks/verifying/
    body, stamp = sample_of("zendesk"), iso(now)
    signing = {
        "X-Zendesk-Webhook-Signature": in_base64(stamp + body, SECRET),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }
    return post(body, {**ZENDESK, **signing})


def _intercom(_now: Micros) -> Request:
    # https://developers.intercom.com/docs/webhooks/webhook-notifications, "Signed Notifications"
    body = sample_of("intercom")
    return post(body, {"X-Hub-Signature": f"sha1={in_hex(body, SECRET, 'sha1')}"})


def _segment(_now: Micros) -> Request:
    # segmentio/segment-docs, destinations/catalog/actions-webhook
    body = sample_of("segment")
    return post(body, {"X-Signature": in_hex(body, SECRET, "sha1")})


def _shipstation(now: Micros, token: str = SECRET) -> Request:
    # https://docs.shipstation.com/apis/docs/guides/webhooks-validation
    body, stamp, query = sample_of("shipstation"), iso(now), f"?token={token}"
    signature = SHIPPING.sign(f"{stamp}.{body}".encode(), padding.PKCS1v15(), SHA256())
    headers = {
        "X-ShipEngine-RSA-SHA256-Signature": base64.b64encode(signature).decode(),
        "X-ShipEngine-RSA-SHA256-Key-Id": "kid-1",
        "X-ShipEngine-Timestamp": stamp,
    }
    return post(body, headers, url=URL + query, target=f"/hooks/orders{query}")


def _shipstation_v1(token: str) -> Request:
    body = '{"resource_url":"https://ssapi.shipstation.com/orders?importBatch=1","resource_type":"ORDER_NOTIFY"}'
    return post(body, {}, url=f"{URL}?token={token}", target=f"/hooks/orders?token={token}")


def _case(provider: str, **fields: Any) -> Case:
    return Case(**{"provider": provider, "secret": SECRET, "wrong": WRONG, **fields})


CASES = [
    _case(
        "freshdesk",
        name="token",
        send=lambda _now: _freshdesk({"X-Webhook-Secret": SECRET}),
        missing_code="credential_missing",
        proof="x-webhook-secret",
        event_type="{ticket_action:created}",
        reference="1042",
        wrong_code="credential_wrong",
        tampered=lambda _request: tuple(_freshdesk({"X-Webhook-Secret": one}) for one in (WRONG, SECRET + " ", "")),
    ),
    _case(
        "freshdesk",
        name="basic",
        send=lambda _now: _freshdesk(basic(BASIC)),
        missing_code="credential_missing",
        secret=BASIC,
        wrong=OTHER_BASIC,
        proof="authorization",
        event_type="{ticket_action:created}",
        reference="1042",
        wrong_code="credential_wrong",
        tampered=lambda _request: tuple(_freshdesk(basic(one)) for one in (OTHER_BASIC, "sample:", "")),
    ),
    _case(
        "zendesk",
        send=_zendesk,
        proof="x-zendesk-webhook-signature",
        event_type="zen:event-type:ticket.created",
        dedup="8350205582",
        reference="1042",
        stamped=5 * MINUTE,
    ),
    _case(
        "intercom",
        send=_intercom,
        proof="x-hub-signature",
        event_type="conversation.user.created",
        dedup=NOTIFICATION,
        reference="1042",
    ),
    _case("segment", send=_segment, proof="x-signature", event_type="track", dedup="ajs-next-00000000"),
    _case(
        "shipstation",
        send=_shipstation,
        event_type="API_TRACK",
        reference="9400111298370264401222",
        stamped=5 * MINUTE,
        wrong_code="recipient_wrong",
        keys=_published(SHIPPING),
        tampered=lambda request: (*changed(request), _shipstation(NOW, WRONG)),
    ),
    _case(
        "shipstation",
        name="v1",
        send=lambda _now: _shipstation_v1(SECRET),
        event_type="ORDER_NOTIFY",
        wrong_code="credential_wrong",
        tampered=lambda _request: tuple(_shipstation_v1(one) for one in (WRONG, "", SECRET + "&token=" + SECRET)),
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_freshdesk_judges_by_what_was_brought() -> None:
    """A name and password are no token, and a token is no name and password."""
    touchpoint = make_touchpoint("freshdesk", SECRET)
    assert receive(_freshdesk(basic(f"{SECRET}:{SECRET}")), touchpoint) == Refused(code="secret_unusable")
    assert receive(_freshdesk({}), make_touchpoint("freshdesk", BASIC)) == Refused(code="credential_missing")


def test_a_tickets_id_is_no_id_of_a_trigger() -> None:
    """Two updates of one ticket are two events, although a person wrote its id into the body."""
    keys = []
    for invocation in ("1", "2"):
        body, stamp = '{"id":1042,"type":"updated"}', iso(NOW)
        signing = {"X-Zendesk-Webhook-Signature": in_base64(stamp + body, SECRET)}
        headers = {**signing, "X-Zendesk-Webhook-Signature-Timestamp": stamp, "X-Zendesk-Webhook-Invocation-Id": invocation}
        received = receive(post(body, headers), make_touchpoint("zendesk", SECRET))
        assert isinstance(received, Verified)
        keys.append(received.dedup_key)

    assert keys == ["7:1", "7:2"]


def test_a_repeat_of_intercom_has_the_same_id() -> None:
    """Although its body counts the attempts."""
    body = json.dumps(json.loads(sample_of("intercom")) | {"delivery_attempts": 2})

    received = receive(
        post(body, {"X-Hub-Signature": f"sha1={in_hex(body, SECRET, 'sha1')}"}), make_touchpoint("intercom", SECRET)
    )

    assert isinstance(received, Verified)
    assert received.dedup_key == f"7:{NOTIFICATION}"


def test_intercom_asks_whether_somebody_is_there() -> None:
    """By HEAD."""
    assert receive(post("", {}, method="HEAD"), make_touchpoint("intercom", SECRET)) == Answer()


def test_a_batch_of_segment_is_told_by_its_first_event() -> None:
    """Its type is the first event's, and it has no id: only each item has one."""
    item = json.loads(sample_of("segment"))
    body = json.dumps([item, item | {"messageId": "m2", "type": "identify"}])

    received = receive(post(body, {"X-Signature": in_hex(body, SECRET, "sha1")}), make_touchpoint("segment", SECRET))

    assert isinstance(received, Verified)
    assert (received.event_type, received.dedup_key) == ("track", None)


def test_shipstations_keys_are_wanted_from_its_own_host_alone() -> None:
    """Without them nothing can be told; with another key of that name it is no ShipStation's; an unknown name asks again."""
    request, touchpoint = _shipstation(NOW), make_touchpoint("shipstation", SECRET)

    assert receive(request, touchpoint) == Wanting(keys=(PLACE,))
    other = _published(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert receive(request, touchpoint, other) == Refused(code="signature_wrong")
    renamed = post(request.body, (*without(request, "x-shipengine-rsa-sha256-key-id").headers, _key_id("kid-2")))
    renamed = replace(renamed, url=request.url, target=request.target)
    assert receive(renamed, touchpoint, _published(SHIPPING)) == Wanting(keys=(PLACE,))


def _key_id(name: str) -> tuple[bytes, bytes]:
    return b"x-shipengine-rsa-sha256-key-id", name.encode()

"""Shops that sign: Shopify, WooCommerce, Squarespace, Ecwid, Etsy, Walmart."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import standardwebhooks

from tests.touchpoints.factory import NOW, WHSEC
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants
from tests.touchpoints.providers.hmacs import RIGHT, WRONG, in_base64, in_hex, seconds, sha256
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros
from touchpoints.provider import provider
from touchpoints.request import Refused, Request, Verified

_HEX = "00ffa1" * 10 + "0b0c"  # Squarespace's secrets are hexadecimal


def _body(name: str) -> str:
    return provider(name).sample.body


def _shopify(prefix: str) -> Request:
    # shopify.dev/docs/apps/build/webhooks: the newer events come with the same headers without x-
    headers = {"Hmac-Sha256": in_base64(_body("shopify")), "Topic": "orders/create", "Webhook-Id": "b54557e4"}
    return post(_body("shopify"), {f"{prefix}{name}": value for name, value in headers.items()})


def _woocommerce(_now: Micros) -> Request:
    # github.com/woocommerce/woocommerce: includes/class-wc-webhook.php, deliver()
    body = _body("woocommerce")
    headers = {
        "Content-Type": "application/json",
        "X-WC-Webhook-Source": "https://shop.example.com/",
        "X-WC-Webhook-Topic": "order.created",
        "X-WC-Webhook-Resource": "order",
        "X-WC-Webhook-Event": "created",
        "X-WC-Webhook-Signature": in_base64(body),
        "X-WC-Webhook-ID": "3",
        "X-WC-Webhook-Delivery-ID": "09b5ac4b0d8d1a1c1e2f6d1b8b1f2c3d",
    }
    return post(body, headers)


def _squarespace(_now: Micros) -> Request:
    # developers.squarespace.com/webhooks/overview: the key is the decoded secret
    body = _body("squarespace")
    return post(body, {"Squarespace-Signature": in_hex(body, bytes.fromhex(_HEX))})


def _ecwid(now: Micros) -> Request:
    # docs.ecwid.com: how to process webhooks, event data in webhooks (UNIX time)
    document = json.loads(_body("ecwid")) | {"eventCreated": now // SECOND}
    signature = in_base64(f"{document['eventCreated']}.{document['eventId']}")
    return post(json.dumps(document).encode(), {"X-Ecwid-Webhook-Signature": signature})


def _other_ecwid_fields(request: Request) -> tuple[Request, ...]:
    document = json.loads(request.body)
    others: Sequence[dict[str, object]] = (
        {"eventId": "another"},
        {"eventCreated": document["eventCreated"] + 1},
        {"eventId": None},
        {"eventCreated": []},
    )
    return tuple(replace(request, body=json.dumps(document | other).encode()) for other in others)


def _etsy(now: Micros) -> Request:
    # developers.etsy.com/documentation/essentials/webhooks: Standard Webhooks, signed by its own library
    body, stamp = _body("etsy"), datetime.fromtimestamp(now // SECOND, UTC)
    signature = standardwebhooks.Webhook(WHSEC).sign("msg_1", stamp, body)
    return post(body, {"webhook-id": "msg_1", "webhook-timestamp": seconds(now), "webhook-signature": signature})


def _walmart(now: Micros) -> Request:
    # developer.walmart.com/us-marketplace: security and authenticity
    body = _body("walmart")
    text = f"POST\n/hooks/orders\n{seconds(now)}\n{sha256(body)}"
    return post(body, {"WM_SEC.SIGNATURE": in_base64(text), "WM_SEC.TIMESTAMP": seconds(now), "WM_SEC.KEY_ID": "1"})


def _walmart_basic(_now: Micros) -> Request:
    # developer.walmart.com/suppliers/docs/notifications-what-you-should-know: Basic, HMAC or OAuth
    return post(_body("walmart"), {"Authorization": "Basic " + base64.b64encode(b"ann:s3cret").decode()})


def _elsewhere(request: Request) -> tuple[Request, ...]:
    """The body, and everything else that Walmart signs."""
    return (*changed(request), replace(request, method="PUT"), replace(request, url=request.url + "?a=b"))


CASES = [
    Case(
        provider="shopify",
        send=lambda _now: _shopify("X-Shopify-"),
        secret=RIGHT,
        wrong=WRONG,
        proof="x-shopify-hmac-sha256",
        event_type="orders/create",
        dedup="b54557e4",
        reference="1042",
    ),
    Case(
        provider="shopify",
        name="events",
        send=lambda _now: _shopify("Shopify-"),
        secret=RIGHT,
        wrong=WRONG,
        proof="shopify-hmac-sha256",
        event_type="orders/create",
        dedup="b54557e4",
        reference="1042",
    ),
    Case(
        provider="woocommerce",
        send=_woocommerce,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-wc-webhook-signature",
        event_type="order.created",
        dedup="09b5ac4b0d8d1a1c1e2f6d1b8b1f2c3d",
        reference="727",
    ),
    Case(
        provider="squarespace",
        send=_squarespace,
        secret=_HEX,
        wrong=_HEX[::-1],
        proof="squarespace-signature",
        event_type="order.create",
        dedup="a9cd03a6-cbc6-4b5d-b1ab-2cb1d4d0c6dd",
        reference="60b7f6a4d3f5b41b2c3d4e5f",
    ),
    Case(
        provider="ecwid",
        send=_ecwid,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-ecwid-webhook-signature",
        event_type="order.created",
        dedup="80aece08-40e8-4145-8764-6c2f0d38678",
        reference="J77J8",
        stamped=14 * DAY,
        tampered=_other_ecwid_fields,
    ),
    Case(
        provider="etsy",
        send=_etsy,
        secret=WHSEC,
        wrong="whsec_" + base64.b64encode(b"another key of twenty-four").decode(),
        proof="webhook-signature",
        event_type="order.paid",
        dedup="msg_1",
        stamped=5 * MINUTE,
    ),
    Case(
        provider="walmart",
        send=_walmart,
        secret=RIGHT,
        wrong=WRONG,
        proof="wm_sec.signature",
        event_type="PO_CREATED",
        dedup="03d34580-61d4-11ea-9e23-cd38810ff7cd",
        reference="200000001042",
        stamped=25 * HOUR,
        tampered=_elsewhere,
    ),
    Case(
        provider="walmart",
        name="basic",
        send=_walmart_basic,
        secret="ann:s3cret",
        wrong="ann:secret",
        proof="authorization",
        event_type="PO_CREATED",
        dedup="03d34580-61d4-11ea-9e23-cd38810ff7cd",
        reference="200000001042",
        tampered=None,
        wrong_code="credential_wrong",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_ecwid_signs_the_id_and_the_time_alone() -> None:
    """So another body with them is proved, which the page says; its id is the one that was signed."""
    case = next(case for case in CASES if case.provider == "ecwid")
    request = case.send(NOW)
    forged = replace(request, body=json.dumps(json.loads(request.body) | {"entityId": 1}).encode())

    received = case.receive(forged, case.secret)
    assert isinstance(received, Verified)
    assert received.dedup_key == f"7:{case.dedup}"
    assert provider("ecwid").covers == "fields"


def test_walmart_signs_the_path_that_it_was_given() -> None:
    """Not the one a reverse proxy made of it: the touchpoint's public URL is what counts."""
    case = next(case for case in CASES if case.provider == "walmart")
    rewritten = replace(case.send(NOW), target="/inside/orders")

    assert isinstance(case.receive(rewritten, case.secret), Verified)


def test_walmarts_credential_is_no_way_around_its_signature() -> None:
    """A request that brings a signature stands or falls by it."""
    case = next(case for case in CASES if case.name == "basic")
    request = case.send(NOW)
    both = replace(request, headers=(*request.headers, (b"wm_sec.signature", b"AAAA"), (b"wm_sec.timestamp", b"1795000000")))

    assert isinstance(case.receive(both, case.secret), Refused)

"""Adyen: every item of a batch proves itself, by the library's signature."""

import json
from typing import Any

import pytest
from Adyen import util

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified
from touchpoints.sign import sign, signed_body

# docs.adyen.com: verify HMAC signatures, its example of a key, an item and the signature.
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
OTHER = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
PUBLISHED = {
    "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
    "amount": {"value": 1130, "currency": "EUR"},
    "pspReference": "7914073381342284",
    "eventCode": "AUTHORISATION",
    "eventDate": "2019-05-06T17:15:34.121+02:00",
    "merchantAccountCode": "TestMerchant",
    "operations": ["CANCEL", "CAPTURE", "REFUND"],
    "merchantReference": "TestPayment-1407325143704",
    "paymentMethod": "visa",
    "success": "true",
}

Item = dict[str, Any]


def _item(reference: str, **fields: object) -> Item:
    amount = {"value": 1990, "currency": "EUR"}
    item: Item = {"pspReference": f"psp-{reference}", "merchantReference": reference, "amount": amount, "eventCode": "CAPTURE"}
    item |= {"merchantAccountCode": "Merchant", "success": "true", "originalReference": "first"} | fields
    signature = util.generate_notification_sig(item, KEY).decode()
    return item | {"additionalData": {"hmacSignature": signature}}


def _batch(*items: Item) -> Request:
    return post(json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item} for item in items]}), {})


def _other_items(request: Request) -> tuple[Request, ...]:
    """Each signed field changed, and each kind of stranger in the batch."""
    first, second = _item("1042"), _item("1043")
    changes: list[Item] = [
        {"pspReference": "psp-1"},
        {"originalReference": ""},
        {"merchantAccountCode": "Other"},
        {"merchantReference": "1"},
        {"amount": {"value": 1, "currency": "EUR"}},
        {"amount": {"value": 1990, "currency": "USD"}},
        {"eventCode": "REFUND"},
        {"success": "false"},
        {"additionalData": {}},
        {"additionalData": {"hmacSignature": "x"}},
    ]
    batches = [(first, second | change) for change in changes] + [(first | change, second) for change in changes] + [()]
    return tuple(_batch(*batch) for batch in batches)


CASES = [
    Case(
        provider="adyen",
        send=lambda _now: _batch(_item("1042"), _item("1043")),
        secret=KEY,
        wrong=OTHER,
        event_type="CAPTURE",
        dedup="psp-1042:CAPTURE:true",
        reference="1042",
        tampered=_other_items,
    ),
    Case(
        provider="adyen",
        name="header",
        send=lambda _now: _in_header('{"type":"balancePlatform.transfer.updated","data":{"reference":"R1"}}'),
        secret=KEY,
        wrong=OTHER,
        proof="hmacsignature",
        event_type="balancePlatform.transfer.updated",
        reference="R1",
        tampered=changed,
    ),
]


def _in_header(body: str) -> Request:
    return post(body, {"HmacSignature": util.generate_payload_sig(body.encode(), KEY).decode(), "Protocol": "HmacSHA256"})


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_adyens_published_example() -> None:
    """docs.adyen.com: verify HMAC signatures."""
    received = receive(_batch(PUBLISHED), make_touchpoint("adyen", KEY))

    assert isinstance(received, Verified)
    assert received.reference == "TestPayment-1407325143704"


def test_what_we_sign_adyens_library_proves() -> None:
    """Its is_valid_hmac_notification, over the sample as we sign it."""
    touchpoint = make_touchpoint("adyen", KEY)
    body = signed_body(touchpoint, provider("adyen").sample.body.encode(), NOW, "m")
    request = post(body, sign(touchpoint, body, (), NOW, URL, "m"))

    assert util.is_valid_hmac_notification(json.loads(request.body), KEY)
    assert isinstance(receive(request, touchpoint), Verified)


def test_the_rest_of_an_item_is_not_signed() -> None:
    """Which the page says: another payment method proves as well."""
    received = receive(_batch(PUBLISHED | {"paymentMethod": "mc"}), make_touchpoint("adyen", KEY))

    assert isinstance(received, Verified)
    assert provider("adyen").covers == "fields"


def test_a_signature_in_the_header_does_not_vouch_for_items() -> None:
    """Items prove themselves, whatever stands in a header."""
    body = json.dumps({"notificationItems": [{"NotificationRequestItem": PUBLISHED | {"eventCode": "REFUND"}}]})
    assert isinstance(receive(_in_header(body), make_touchpoint("adyen", KEY)), Refused)

"""Items of a batch that each prove themselves."""

import json
from typing import Any

import pytest
from Adyen import util
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.sign import signed_body
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.adyen import signed_text

KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
TOUCHPOINT = make_touchpoint("generic", KEY, verification=Verification(scheme="adyen"))
ITEM: dict[str, Any] = {
    "pspReference": "7914073381342284",
    "originalReference": "",
    "merchantAccountCode": "Account",
    "merchantReference": "order:7",
    "amount": {"value": 1130, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "success": "true",
}


def item(signature: object = "", **fields: Any) -> dict[str, Any]:
    """An item signed by Adyen's library, with its fields changed afterwards."""
    right = util.generate_notification_sig(ITEM, KEY).decode()
    return ITEM | fields | {"additionalData": {"hmacSignature": signature or right}}


def batch(*items: object) -> bytes:
    """A standard webhook."""
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": one} for one in items]}).encode()


def test_every_item_must_prove_itself() -> None:
    """The vendor's library looks at the first only."""
    assert why(make_request(batch(item())), TOUCHPOINT) == ""
    assert why(make_request(batch(item(), item(originalReference=None))), TOUCHPOINT) == ""
    assert why(make_request(batch(item(), item(success="false"))), TOUCHPOINT) == "signature_wrong"
    assert why(make_request(batch(item(success="false"), item())), TOUCHPOINT) == "signature_wrong"
    assert why(make_request(batch(item(), ITEM)), TOUCHPOINT) == "signature_missing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "signature_missing"),
        (b"[]", "signature_missing"),
        (b'{"notificationItems":[]}', "signature_missing"),
        (b'{"notificationItems":{"NotificationRequestItem":{}}}', "signature_missing"),
        (b'{"notificationItems":[1]}', "signature_missing"),
        (batch(item(signature=1)), "signature_malformed"),
        (batch(item(signature=None) | {"additionalData": {"hmacSignature": None}}), "signature_malformed"),
        (batch(item(signature="AAAA")), "signature_malformed"),
        (batch(item(originalReference="\0evil")), "signature_malformed"),
        (batch(item(originalReference=["evil"])), "signature_malformed"),
        (batch(item(originalReference={"a": 1})), "signature_malformed"),
        (batch(item(amount={"value": 10**30, "currency": "EUR"})), "signature_malformed"),
        (batch(item(amount=1130)), "signature_wrong"),
        (batch(*[item()] * 1000), ""),
        (batch(*[item()] * 1001), "signature_malformed"),
    ],
    ids=range(15),
)
def test_what_is_no_signed_batch_is_told(body: bytes, code: str) -> None:
    """And a field that is there but has no text does not count as one that is not there."""
    assert why(make_request(body), TOUCHPOINT) == code


def test_a_name_that_repeats_is_no_proof() -> None:
    """We read the last value, the destination may read the first; else one signed item would prove any other."""
    signed = batch(item())
    forged = json.dumps([{"NotificationRequestItem": item(amount={"value": 1, "currency": "EUR"})}]).encode()
    for body in (
        b'{"notificationItems":' + forged + b"," + signed[1:],
        signed.replace(b'"success"', b'"success":"false","success"'),
        signed.replace(b'"value"', b'"value":1,"value"'),
    ):
        assert why(make_request(body), TOUCHPOINT) == "signature_ambiguous"
    assert why(make_request(b"\xef\xbb\xbf" + signed), TOUCHPOINT) == "signature_malformed"


def test_a_colon_moves_no_text_from_one_field_to_another() -> None:
    """The fields are joined by colons that nothing escapes; only the merchant's own reference may hold one."""
    moved = item(merchantAccountCode="Account:order", merchantReference="7")

    assert why(make_request(batch(moved)), TOUCHPOINT) == "signature_malformed"
    assert signed_text(moved) is None
    assert signed_text(ITEM) == b"7914073381342284::Account:order:7:1130:EUR:AUTHORISATION:true"


def test_secrets_are_hexadecimal() -> None:
    """One that is not is passed over; with none left the reason is the secret."""
    assert why(make_request(batch(item())), make_touchpoint("adyen", "no hex", KEY.lower())) == ""
    assert why(make_request(batch(item())), make_touchpoint("adyen", "no hex")) == "secret_unusable"


SCALARS = st.text(max_size=5) | st.integers(-5, 5) | st.booleans() | st.none() | st.lists(st.integers(), max_size=1)
NAMES = ["pspReference", "originalReference", "merchantAccountCode", "merchantReference", "eventCode", "success"]


@given(
    st.dictionaries(st.sampled_from(NAMES), SCALARS, max_size=6), st.dictionaries(st.sampled_from(NAMES), SCALARS, max_size=6)
)
def test_two_items_that_differ_never_sign_the_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Read as texts: null and lacking, 1 and "1" are the same to a receiver too."""

    def told(one: dict[str, Any]) -> list[str]:
        values = (one.get(name) for name in NAMES)
        return ["" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in values]

    ours, theirs = signed_text(first), signed_text(second)

    if ours is not None and ours == theirs:
        assert told(first) == told(second)


def test_what_we_sign_is_valid_to_the_library() -> None:
    """Each item, of its own fields."""
    body = json.loads(signed_body(TOUCHPOINT, batch(ITEM, ITEM | {"success": "false"}), NOW, "m"))

    assert why(make_request(json.dumps(body).encode()), TOUCHPOINT) == ""
    for one in body["notificationItems"]:
        assert util.is_valid_hmac_notification(one["NotificationRequestItem"], KEY)

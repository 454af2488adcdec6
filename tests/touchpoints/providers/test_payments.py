"""Payments and books that sign a body: Stripe, Square, Mollie, Razorpay, Klarna, Zoho Payments, QuickBooks, Xero."""

import json
from dataclasses import replace

import pytest
import razorpay
import stripe
from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator
from square.utils.webhooks_helper import verify_signature

from tests.touchpoints.factory import NOW, URL, WHSEC, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants
from tests.touchpoints.providers.hmacs import RIGHT, WRONG, in_base64, in_hex
from tests.touchpoints.providers.node import node
from tests.touchpoints.proving import signed, value_of, why
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Request, Verified


def _body(name: str) -> str:
    return provider(name).sample.body


def _stripe(now: Micros) -> Request:
    header = stripe.WebhookSignature.generate_signature_header(_body("stripe"), WHSEC, timestamp=now // SECOND)
    return post(_body("stripe"), {"Stripe-Signature": header})


def _square(_now: Micros) -> Request:
    # developer.squareup.com/docs/webhooks/step3validate
    return post(_body("square"), {"x-square-hmacsha256-signature": in_base64(URL + _body("square"))})


def _other_square(request: Request) -> tuple[Request, ...]:
    elsewhere = (URL + "/", URL.replace("hooks.", "hook."))
    return (*changed(request), *(replace(request, url=url) for url in elsewhere))


def _mollie(_now: Micros) -> Request:
    signature = SignatureValidator.create_signature(_body("mollie"), RIGHT)
    return post(_body("mollie"), {"X-Mollie-Signature": f"sha256={signature}"})


def _razorpay(_now: Micros) -> Request:
    # razorpay.com/docs/webhooks/validate-test
    return post(_body("razorpay"), {"X-Razorpay-Signature": in_hex(_body("razorpay")), "x-razorpay-event-id": "E1"})


def _klarna(_now: Micros) -> Request:
    # docs.klarna.com: set up your webhooks
    headers = {"Klarna-Signature": in_hex(_body("klarna")), "Klarna-Signing-Key-Id": "krn:partner:global:signing-key:1"}
    return post(_body("klarna"), headers)


def _zoho(now: Micros) -> Request:
    # zoho.com/in/payments/developerdocs/webhooks/verification
    body, stamp = '{"event_id":"e1","event_type":"payment.succeeded"}', str(now // 1000)
    return post(body, {"X-Zoho-Webhook-Signature": f"t={stamp},v={in_hex(f'{stamp}.{body}')}"})


def _quickbooks(_now: Micros) -> Request:
    # developer.intuit.com/app/developer/qbo/docs/develop/webhooks
    return post(_body("quickbooks"), {"intuit-signature": in_base64(_body("quickbooks"))})


def _old_quickbooks(_now: Micros) -> Request:
    entity = '{"name":"Invoice","id":"1042","operation":"Create","lastUpdated":"2026-01-01T00:00:00.000Z"}'
    body = f'{{"eventNotifications":[{{"realmId":"310687","dataChangeEvent":{{"entities":[{entity}]}}}}]}}'
    return post(body, {"intuit-signature": in_base64(body)})


def _xero(_now: Micros) -> Request:
    # developer.xero.com/documentation/webhooks/configuring-your-server
    return post(_body("xero"), {"x-xero-signature": in_base64(_body("xero"))})


CASES = [
    Case(
        provider="stripe",
        send=_stripe,
        secret=WHSEC,
        wrong=WHSEC[:-1],
        proof="stripe-signature",
        event_type="payment_intent.succeeded",
        dedup="evt_00000000000000",
        reference="pi_00000000000000",
        stamped=5 * MINUTE,
    ),
    Case(
        provider="square",
        send=_square,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-square-hmacsha256-signature",
        event_type="payment.updated",
        dedup="6a8f5f28-54a1-4eb0-a98a-3111513fd4fc",
        reference="hYy9pRFVxpDsO1FB05SunFWUe9JZY",
        tampered=_other_square,
    ),
    Case(
        provider="mollie",
        send=_mollie,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-mollie-signature",
        event_type="payment-link.paid",
        dedup="event_GvJ8WHrp5isUdRub9CJyH",
        reference="pl_qng5gbbv8NAZ5gpM5ZYgx",
        repeated_code=None,
    ),
    Case(
        provider="razorpay",
        send=_razorpay,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-razorpay-signature",
        event_type="payment.captured",
        dedup="E1",
        reference="order_00000000000000",
    ),
    Case(
        provider="klarna",
        send=_klarna,
        secret=RIGHT,
        wrong=WRONG,
        proof="klarna-signature",
        event_type="payment.request.state-change.completed",
        dedup="d9f9b1a0-5b1a-4b0e-9b0a-9e9b1a0d5b1a",
        reference="1042",
    ),
    Case(
        provider="zoho",
        name="payments",
        send=_zoho,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-zoho-webhook-signature",
        event_type="payment.succeeded",
        dedup="e1",
        stamped=5 * MINUTE,
    ),
    Case(
        provider="quickbooks",
        send=_quickbooks,
        secret=RIGHT,
        wrong=WRONG,
        proof="intuit-signature",
        event_type="qbo.invoice.created.v1",
        dedup="88cd52aa-33b6-4351-9aa4-47572edbd068",
        reference="1042",
    ),
    Case(
        provider="quickbooks",
        name="old",
        send=_old_quickbooks,
        secret=RIGHT,
        wrong=WRONG,
        proof="intuit-signature",
        event_type="Invoice:Create",
        reference="1042",
    ),
    Case(
        provider="xero",
        send=_xero,
        secret=RIGHT,
        wrong=WRONG,
        proof="x-xero-signature",
        event_type="INVOICE:UPDATE",
        dedup="1042:1042",
        reference="717f2bfc-c6d4-41fd-b238-3f2f0c0cf777",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_squares_own_vectors() -> None:
    """github.com/square/square-python-sdk: tests of the webhooks helper."""
    url, key = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9", "Ibxx_5AKakO-3qeNVR61Dw"
    body = (
        '{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f",'
        '"created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
    )
    sent = post(body, {"x-square-hmacsha256-signature": "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="}, url=url)

    received = receive(sent, make_touchpoint("square", key))
    assert isinstance(received, Verified)
    assert received.dedup_key == "7:ac3ac95b-f97d-458c-a6e6-18981597e05f"


def test_squares_library_proves_what_we_sign() -> None:
    """Its verify_signature, with the right URL and with another."""
    body = _body("square")
    ours = value_of(signed(make_touchpoint("square", RIGHT), body.encode()), "x-square-hmacsha256-signature").decode()

    given = {"request_body": body, "signature_header": ours, "signature_key": RIGHT}
    assert verify_signature(**given, notification_url=URL)
    assert not verify_signature(**given, notification_url=URL + "/")


def test_mollies_library_proves_what_we_sign() -> None:
    """Its validator, also while two secrets are there."""
    body = _body("mollie")
    ours = value_of(signed(make_touchpoint("mollie", RIGHT), body.encode()), "x-mollie-signature").decode()

    assert SignatureValidator.validate(body, [WRONG, RIGHT], ours)
    with pytest.raises(InvalidSignatureException):
        SignatureValidator.validate(body + " ", RIGHT, ours)


def test_mollie_may_send_several_signatures() -> None:
    """While a secret is changed: in several headers or one, of which any may prove (mollie-api-py: validate)."""
    right, wrong = (f"sha256={in_hex(_body('mollie'), key)}" for key in (RIGHT, WRONG))
    touchpoint = make_touchpoint("mollie", RIGHT)
    name = b"x-mollie-signature"
    for headers in ({"X-Mollie-Signature": f"{wrong}, {right}"}, ((name, wrong.encode()), (name, right.encode()))):
        assert why(post(_body("mollie"), headers), touchpoint) == ""
    assert why(post(_body("mollie"), {"X-Mollie-Signature": f"{wrong}, {wrong}"}), touchpoint) == "signature_wrong"


def test_mollies_older_webhooks_prove_nothing() -> None:
    """A form with an id alone carries no signature."""
    assert why(post("id=tr_7UhSN1zuXS", {}), make_touchpoint("mollie", RIGHT)) == "signature_missing"


def test_razorpays_library_proves_what_we_sign() -> None:
    """Its verify_webhook_signature."""
    body = _body("razorpay")
    ours = value_of(signed(make_touchpoint("razorpay", RIGHT), body.encode()), "x-razorpay-signature").decode()

    library = razorpay.Utility()
    assert library.verify_webhook_signature(body, ours, RIGHT)
    with pytest.raises(razorpay.errors.SignatureVerificationError):
        library.verify_webhook_signature(body, ours, WRONG)


def test_stripes_library_proves_what_we_sign() -> None:
    """Its verify_header."""
    body = _body("stripe")
    ours = value_of(signed(make_touchpoint("stripe", WHSEC), body.encode()), "stripe-signature").decode()

    assert stripe.WebhookSignature.verify_header(body, ours, WHSEC)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body + " ", ours, WHSEC)


def test_stripe_sends_a_signature_for_each_secret_while_one_is_rolled() -> None:
    """Several v1 in one header, of which one is enough; other schemes count for nothing (docs.stripe.com)."""
    stamp, body = str(NOW // SECOND), _body("stripe")
    old, new = (in_hex(f"{stamp}.{body}", key) for key in (WRONG, RIGHT))
    touchpoint = make_touchpoint("stripe", RIGHT)

    assert why(post(body, {"Stripe-Signature": f"t={stamp},v1={old},v1={new},v0={old}"}), touchpoint) == ""
    assert why(post(body, {"Stripe-Signature": f"t={stamp},v0={new}"}), touchpoint) == "signature_malformed"


@pytest.mark.timeout(120)
def test_stripes_javascript_library_in_both_directions() -> None:
    """It makes the header that we make, and proves ours; of another body, secret or time it does not."""
    stamp, body = NOW // SECOND, _body("stripe")
    ours = value_of(signed(make_touchpoint("stripe", WHSEC), body.encode()), "stripe-signature").decode()
    right = {"body": body, "header": ours, "secret": WHSEC, "timestamp": stamp}
    asked = [right, right | {"body": body + " "}, right | {"secret": WRONG}, right | {"timestamp": stamp + 301}]

    answers = [json.loads(line) for line in node("stripe.mjs", lines=[json.dumps(one) for one in asked])]
    assert answers[0]["header"] == ours
    assert [answer["valid"] for answer in answers] == [True, False, False, False]

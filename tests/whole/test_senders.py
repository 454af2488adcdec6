"""Each provider's sender, signed by its official library where there is one, through the running program to a destination."""

import base64
import hmac
import json
from datetime import UTC, datetime

import httpx
import standardwebhooks
import stripe
import svix.webhooks
from slack_sdk.signature import SignatureVerifier

from tests.touchpoints.providers.node import node
from tests.whole.destination import Destination
from tests.whole.hookport import Hookport
from tests.whole.senders import github

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRET = "s3cret of the sender"
BODY = '{"id":"evt_1","type":"order.created","order_number":1042,"name":"café \\/ \\u00e9"}'

PROVIDERS = ("shopify", "github", "stripe", "woocommerce", "standard_webhooks", "svix", "slack")


def _hmac64(body: str) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), body.encode(), "sha256")).decode()


def _messages(prefix: str, library: standardwebhooks.Webhook | svix.webhooks.Webhook) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = library.sign("msg_1", now, BODY)
    return {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(int(now.timestamp())), f"{prefix}-signature": signature}


def _signed(provider: str) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    match provider:
        case "shopify":
            signature = json.loads(node("shopify.mjs", SECRET, lines=[json.dumps({"body": BODY, "headers": {}})])[0])[
                "signature"
            ]
            return {"x-shopify-hmac-sha256": signature, "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "w1"}
        case "github":
            return github(BODY.encode(), "g1", secret=SECRET)
        case "stripe":
            return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(BODY, WHSEC, timestamp=now)}
        case "woocommerce":
            return {
                "x-wc-webhook-signature": _hmac64(BODY),
                "x-wc-webhook-topic": "order.created",
                "x-wc-webhook-delivery-id": "1",
            }
        case "standard_webhooks":
            return _messages("webhook", standardwebhooks.Webhook(WHSEC))
        case "svix":
            return _messages("svix", svix.webhooks.Webhook(WHSEC))
        case _:
            signature = SignatureVerifier(SECRET).generate_signature(timestamp=str(now), body=BODY)
            return {"x-slack-signature": signature or "", "x-slack-request-timestamp": str(now)}


def _touchpoints(url: str) -> str:
    made = ""
    for provider in PROVIDERS:
        secret = WHSEC if provider in ("stripe", "standard_webhooks", "svix") else SECRET
        made += f'[[touchpoint]]\nname = "{provider}"\nprovider = "{provider}"\nsecrets = ["an old one", "{secret}"]\n'.replace(
            '"an old one", ', "" if secret == WHSEC else '"an old one", '
        )
        made += f'[[touchpoint.destination]]\nkind = "http"\nurl = "{url}"\n'
    return made + (
        f'[[touchpoint]]\nname = "generic"\nprovider = "generic"\nsecrets = ["{SECRET}"]\n'
        '[touchpoint.verify]\nscheme = "hmac"\nheader = "X-Webhook-Signature"\nencoding = "base64"\n'
        f'[touchpoint.dedup]\nkey = "json:/id"\n[[touchpoint.destination]]\nkind = "http"\nurl = "{url}"\n'
    )


def test_every_senders_bytes_arrive(hookport: Hookport, destination: Destination) -> None:
    """Every provider and generic: 200, delivered as sent; a changed byte is refused."""
    hookport.configure(_touchpoints(destination.url))
    hookport.start()
    everyone = {provider: _signed(provider) for provider in PROVIDERS} | {"generic": {"x-webhook-signature": _hmac64(BODY)}}
    for provider, headers in everyone.items():
        answer = httpx.post(hookport.url(provider), content=BODY.encode(), headers=headers)
        assert (provider, answer.status_code) == (provider, 200)
        answer = httpx.post(hookport.url(provider), content=BODY.encode() + b" ", headers=headers)
        assert (provider, answer.status_code) == (provider, 401)
        assert httpx.post(hookport.url(provider), content=BODY.encode()).status_code == 401
    hookport.settled()

    assert [got.body for got in destination.got] == [BODY.encode()] * len(everyone)
    assert {got.header("Hookport-Touchpoint") for got in destination.got} == everyone.keys()
    listed = {event["touchpoint"]: event for event in hookport.json("events", "list", "--state", "delivered")["events"]}
    assert listed["shopify"]["reference"] == "1042"
    assert listed["stripe"]["event_type"] == "order.created"


def test_pings_and_challenges_are_answered_at_once(hookport: Hookport, destination: Destination) -> None:
    """WooCommerce's unsigned activation ping and Slack's signed challenge get what they expect, and nothing is stored."""
    hookport.configure(_touchpoints(destination.url))
    hookport.start()
    ping = httpx.post(hookport.url("woocommerce"), data={"webhook_id": "7"})
    assert ping.status_code == 200

    challenge = b'{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'
    now = str(int(datetime.now(UTC).timestamp()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=now, body=challenge) or ""
    answer = httpx.post(
        hookport.url("slack"), content=challenge, headers={"x-slack-signature": signature, "x-slack-request-timestamp": now}
    )
    assert (answer.status_code, answer.text) == (200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")
    assert hookport.json("events", "list")["events"] == []


def test_a_test_event_stops_before_the_outbox_unless_it_is_to_be_delivered(
    hookport: Hookport, destination: Destination
) -> None:
    """`touchpoint test` signs as the provider does and shows what would be sent; --deliver sends it, marked as a test."""
    hookport.configure(_touchpoints(destination.url))
    hookport.start()
    for name in (*PROVIDERS, "generic"):
        shown = hookport.json("touchpoint", "test", name)
        assert (name, shown["verdict"]) == (name, "accepted")
        assert [one["sent"] for one in shown["deliveries"]] == [False]
    hookport.settled()
    assert destination.got == []

    sent = hookport.json("touchpoint", "test", "shopify", "--deliver")
    assert [(one["sent"], one["http_status"]) for one in sent["deliveries"]] == [(True, 200)]
    assert destination.got[0].header("Hookport-Test") == "true"
    assert hookport.json("events", "list")["events"] == []

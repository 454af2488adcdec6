"""Official libraries sign and we verify; we sign and they verify."""

import json
from datetime import UTC, datetime

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from slack_sdk.signature import SignatureVerifier

from tests.touchpoints.factory import NOW, URL, WHSEC, make_request, make_touchpoint
from tests.touchpoints.providers.node import node
from tests.touchpoints.proving import signed, value_of, why
from touchpoints.moment import SECOND
from touchpoints.provider import provider
from touchpoints.receive import receive
from touchpoints.request import Verified
from touchpoints.sign import sign


def test_stripes_library() -> None:
    """stripe.WebhookSignature in both directions; the secret is taken as it stands."""
    touchpoint, body = make_touchpoint("stripe", WHSEC), provider("stripe").sample.body
    header = stripe.WebhookSignature.generate_signature_header(body, WHSEC, timestamp=NOW // SECOND)

    assert why(make_request(body.encode(), ((b"stripe-signature", header.encode()),)), touchpoint) == ""
    ours = value_of(signed(touchpoint, body.encode()), "stripe-signature").decode()
    assert stripe.WebhookSignature.verify_header(body, ours, WHSEC)


@pytest.mark.parametrize("name", ["standard_webhooks", "svix"])
def test_standard_webhooks_and_svix_libraries(name: str) -> None:
    """Each verifies what we sign now, and we verify what each signs."""
    touchpoint, body = make_touchpoint(name, WHSEC), provider(name).sample.body
    now = datetime.now(UTC)  # these libraries read the clock themselves
    library = svix.webhooks.Webhook(WHSEC) if name == "svix" else standardwebhooks.Webhook(WHSEC)
    theirs = {
        f"{'svix' if name == 'svix' else 'webhook'}-{part}": value
        for part, value in (("id", "m"), ("timestamp", str(int(now.timestamp()))), ("signature", library.sign("m", now, body)))
    }
    moment = int(now.timestamp()) * SECOND
    ours = sign(touchpoint, body.encode(), (), moment, URL, "m")

    sent = tuple((key.encode(), value.encode()) for key, value in theirs.items())
    assert why(make_request(body.encode(), sent), touchpoint, moment) == ""
    library.verify(body, {key.decode(): value.decode() for key, value in ours})
    with pytest.raises(Exception, match="No matching signature"):
        library.verify(body + " ", {key.decode(): value.decode() for key, value in ours})


def test_a_svix_sender_with_unprefixed_headers_is_proved() -> None:
    """Svix sends webhook-* where a customer chose so."""
    headers = signed(make_touchpoint("standard_webhooks", WHSEC))

    assert why(make_request(headers=headers), make_touchpoint("svix", WHSEC)) == ""


def test_slacks_library() -> None:
    """slack_sdk in both directions, with JSON and form bodies."""
    touchpoint = make_touchpoint("slack", "8f742231b10e8888abcd99yyyzzz85a5")
    library = SignatureVerifier(touchpoint.secrets[0])
    for body in (provider("slack").sample.body, "token=x&command=%2Fdeploy&text=caf%C3%A9"):
        stamp = str(NOW // SECOND)
        theirs = library.generate_signature(timestamp=stamp, body=body)
        assert theirs is not None
        headers = ((b"x-slack-signature", theirs.encode()), (b"x-slack-request-timestamp", stamp.encode()))
        assert why(make_request(body.encode(), headers), touchpoint) == ""
        assert value_of(signed(touchpoint, body.encode()), "x-slack-signature").decode() == theirs


@pytest.mark.timeout(120)
def test_githubs_library_over_githubs_own_payloads() -> None:
    """Every example payload, signed by octokit, is proved and read; octokit proves what we sign."""
    touchpoint = make_touchpoint("github", "geheim ☃")
    examples = [json.loads(line) for line in node("github.mjs", "sign", touchpoint.secrets[0])]
    ours = []
    for example in examples:
        body = example["body"].encode()
        headers = (
            (b"x-hub-signature-256", example["signature"].encode()),
            (b"x-github-event", example["event"].encode()),
            (b"x-github-delivery", b"72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        )
        verified = receive(make_request(body, headers), touchpoint)
        assert isinstance(verified, Verified), example["event"]
        assert (verified.event_type, verified.dedup_key) == (example["event"], "7:72d3162e-cc78-11e3-81ab-4c9367dc0958")
        ours.append(
            json.dumps(
                {"body": example["body"], "signature": value_of(signed(touchpoint, body), "x-hub-signature-256").decode()}
            )
        )

    assert len(examples) > 300
    wrong = json.dumps({"body": "{}", "signature": "sha256=" + "0" * 64})
    assert node("github.mjs", "verify", touchpoint.secrets[0], lines=[*ours, wrong]) == ["true"] * len(ours) + ["false"]


@pytest.mark.timeout(120)
def test_shopifys_library() -> None:
    """Shopify's library takes a test event of ours as valid, and we prove what it signs, in both header families."""
    touchpoint = make_touchpoint("shopify", "hush é")
    bodies = [provider("shopify").sample.body, '{"price":"1\\/2","name":"café \\ud83c\\udf81"}', "{} "]
    asked = []
    for body in bodies:
        headers = {key.decode(): value.decode() for key, value in signed(touchpoint, body.encode())}
        asked.append(json.dumps({"body": body, "headers": headers}))
    asked.append(json.dumps({"body": "{}", "headers": json.loads(asked[0])["headers"]}))

    answers = [json.loads(line) for line in node("shopify.mjs", touchpoint.secrets[0], lines=asked)]

    assert [answer["valid"] for answer in answers] == [True, True, True, False]
    for body, answer in zip(bodies, answers, strict=False):
        for name in (b"x-shopify-hmac-sha256", b"shopify-hmac-sha256"):
            assert why(make_request(body.encode(), ((name, answer["signature"].encode()),)), touchpoint) == ""

"""Slack, Meta, Twilio, Zoom, X: what people say to each other, and the calls and meetings in which they do."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.hmacs import in_base64, in_hex
from tests.touchpoints.providers.libraries import asked, body_key, sample_of, signed_by, text_of
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Answer, Request, Verified
from touchpoints.sign import sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
WRONG = "8f742231b10e8888abcd99yyyzzz85a6"
COMMAND = "token=x&command=%2Fdeploy&text=caf%C3%A9&trigger_id=13345224609.738474920.8088930838d88f008e0"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _slack(body: str, now: Micros) -> Request:
    stamp = str(now // SECOND)
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    assert signature is not None
    return post(body, {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": stamp})


def _meta(_now: Micros) -> Request:
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
    body = sample_of("meta")
    return post(body, {"X-Hub-Signature-256": f"sha256={in_hex(body, SECRET)}"})


def _twilio_form(algorithm: str) -> Request:
    body = sample_of("twilio")
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    signature = RequestValidator(SECRET).compute_signature(URL, fields, algorithm)
    settings = {"X-Twilio-Webhooks-Signature-Settings": f"key=KY0,algorithm={algorithm}"} if algorithm != "HMAC_SHA1" else {}
    headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": "t1", **settings, **FORM}
    return post(body, headers)


def _twilio_json(_now: Micros) -> Request:
    body = '{"type":"com.twilio.messaging.message.delivered"}'
    query = f"?bodySHA256={RequestValidator(SECRET).compute_hash(body)}"
    signature = RequestValidator(SECRET).compute_signature(URL + query, {})
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/json"}
    return post(body, headers, url=URL + query, target=f"/hooks/orders{query}")


def _twilio_get(_now: Micros) -> Request:
    query = "?CallSid=CA0&CallStatus=ringing"
    signature = RequestValidator(SECRET).compute_signature(URL + query, {})
    return post("", {"X-Twilio-Signature": signature}, method="GET", url=URL + query, target=f"/hooks/orders{query}")


def _other_query(request: Request) -> tuple[Request, ...]:
    others = (request.url.replace("ringing", "completed"), request.url + "&Extra=1", request.url.partition("?")[0])
    return tuple(replace(request, url=url, target=f"/hooks/orders?{url.partition('?')[2]}") for url in others)


def _zoom(now: Micros) -> Request:
    # https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
    body, stamp = sample_of("zoom"), str(now // SECOND)
    return post(body, {"x-zm-signature": f"v0={in_hex(f'v0:{stamp}:{body}', SECRET)}", "x-zm-request-timestamp": stamp})


def _x(_now: Micros) -> Request:
    # https://docs.x.com/x-api/webhooks/quickstart, "Securing webhooks"
    body = sample_of("x")
    return post(body, {"x-twitter-webhooks-signature": f"sha256={in_base64(body, SECRET)}"})


def _case(provider: str, **fields: Any) -> Case:
    return Case(**{"provider": provider, "secret": SECRET, "wrong": WRONG, **fields})


CASES = [
    _case(
        "slack",
        send=lambda now: _slack(sample_of("slack"), now),
        proof="x-slack-signature",
        event_type="app_mention",
        dedup="Ev0000000000",
        stamped=5 * MINUTE,
    ),
    _case(
        "slack",
        name="command",
        send=lambda now: _slack(COMMAND, now),
        proof="x-slack-signature",
        event_type="/deploy",
        dedup="13345224609.738474920.8088930838d88f008e0",
        stamped=5 * MINUTE,
    ),
    _case(
        "meta",
        send=_meta,
        proof="x-hub-signature-256",
        event_type="whatsapp_business_account:messages",
        dedup=body_key(sample_of("meta")),
    ),
    *(
        _case(
            "twilio",
            name=algorithm,
            send=lambda _now, algorithm=algorithm: _twilio_form(algorithm),
            proof="x-twilio-signature",
            event_type="delivered",
            dedup="t1",
            reference="SM00000000000000000000000000000000",
        )
        for algorithm in ("HMAC_SHA1", "HMAC_SHA256")
    ),
    _case(
        "twilio",
        name="json",
        send=_twilio_json,
        proof="x-twilio-signature",
        event_type="com.twilio.messaging.message.delivered",
    ),
    _case(
        "twilio",
        name="get",
        send=_twilio_get,
        proof="x-twilio-signature",
        event_type="ringing",
        reference="CA0",
        tampered=_other_query,
    ),
    _case(
        "zoom",
        send=_zoom,
        proof="x-zm-signature",
        event_type="meeting.started",
        dedup="meeting.started:1767225600000:4444AAAiAAAAAiAiAiiAii==",
        reference="1234567890",
        stamped=5 * MINUTE,
    ),
    _case(
        "x",
        send=_x,
        proof="x-twitter-webhooks-signature",
        event_type="profile.update.bio",
        dedup="00000000-0000-4000-8000-000000000000",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_slacks_libraries_prove_what_we_sign() -> None:
    """slack_sdk and Bolt, with JSON and form bodies; neither proves another body."""
    touchpoint, questions = make_touchpoint("slack", SECRET), []
    for body in (sample_of("slack"), COMMAND):
        headers = sign(touchpoint, body.encode(), (), NOW, URL, "m")
        stamp, signature = text_of(headers, "x-slack-request-timestamp"), text_of(headers, "x-slack-signature")
        assert SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) == signature
        asking = {"ask": "slack_verify", "secret": SECRET, "timestamp": int(stamp), "now": int(stamp), "signature": signature}
        questions += [{**asking, "body": body}, {**asking, "body": body + " "}]

    assert asked(*questions) == [True, False, True, False]


def test_twilios_libraries_prove_what_we_sign_and_we_what_they_sign() -> None:
    """Both languages' libraries, with a form and with JSON, whose hash stands in the address."""
    touchpoint, body = make_touchpoint("twilio", SECRET), sample_of("twilio")
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    ours = text_of(sign(touchpoint, body.encode(), (), NOW, URL, "m"), "x-twilio-signature")
    asking = {"secret": SECRET, "url": URL, "fields": fields}
    theirs = signed_by("twilio_sign", **asking)

    assert RequestValidator(SECRET).validate(URL, fields, ours)
    assert asked({"ask": "twilio_verify", "signature": ours, **asking}) == [True]
    assert isinstance(receive(post(body, {"X-Twilio-Signature": theirs, **FORM}), touchpoint), Verified)

    request = _twilio_json(NOW)
    signature = text_of(request.headers, "x-twilio-signature")
    about = {"ask": "twilio_verify_body", "secret": SECRET, "url": request.url, "signature": signature}
    assert asked({**about, "body": request.body.decode()}, {**about, "body": "{}"}) == [True, False]


@pytest.mark.parametrize(
    "public_url", ["https://hooks.example.com/hooks/orders", "https://hooks.example.com:8420/hooks/orders"]
)
def test_twilios_address_is_tried_with_and_without_its_port(public_url: str) -> None:
    """Its libraries do, because either may be what Twilio signed; the path always counts."""
    body = sample_of("twilio")
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    signature = RequestValidator(SECRET).compute_signature(public_url, fields)
    request = post(body, {"X-Twilio-Signature": signature, **FORM})

    touchpoint = make_touchpoint("twilio", SECRET)
    assert isinstance(receive(request, touchpoint), Verified)
    assert not isinstance(receive(replace(request, url=URL + "/other"), touchpoint), Verified)


def test_a_batch_of_meta_is_told_by_its_first_field() -> None:
    """Messenger's entries have no field: then the object is the type. An entry that stands alone has its field."""
    touchpoint = make_touchpoint("meta", SECRET)
    seen = []
    for body in (
        '{"object":"page","entry":[{"id":"1","time":1,"messaging":[{"message":{"mid":"m"}}]}]}',
        '{"object":"page","entry":[{"id":"1","changes":[{"field":"feed"}]},{"id":"2","changes":[{"field":"leadgen"}]}]}',
        '{"id":"1","changes":[{"field":"leadgen","value":{"leadgen_id":"7"}}]}',
    ):
        received = receive(post(body, {"X-Hub-Signature-256": f"sha256={in_hex(body, SECRET)}"}), touchpoint)
        assert isinstance(received, Verified)
        seen.append(received.event_type)

    assert seen == ["page", "page:feed", "leadgen"]


def test_xs_published_challenge() -> None:
    """The response token that Convoy publishes for a secret and a token (frain-dev/convoy, pkg/crc/crc_test.go)."""
    request = post("", {}, method="GET", target="/hooks/orders?crc_token=uzwcfYtzr9")

    answer = receive(request, make_touchpoint("x", "Convoy"))

    assert isinstance(answer, Answer)
    assert json.loads(answer.body) == {"response_token": "sha256=HXvxTdsfShG6k2zC9NVANwFquJBdOugRYHax2vNiiOo="}

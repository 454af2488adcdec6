"""What shops, payments and customer management ask before their first event, of each preset as it stands."""

import hashlib
import json
from dataclasses import dataclass

import pytest

from tests.touchpoints.factory import URL, make_request, make_touchpoint
from tests.touchpoints.providers.hmacs import RIGHT, WRONG, in_base64
from touchpoints.event import Headers
from touchpoints.handshake import methods_of, needs_agent, proxy_answer
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request
from touchpoints.touchpoint import Touchpoint

VERIFY_TOKEN = "a-token-of-thirty-two-letters-or-more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A handshake as its sender asks it, with where that is written."""

    provider: str
    source: str
    request: Request
    body: bytes = b""
    headers: Headers = ()  # that have to be in the answer
    by_proxy: bool = True  # a hosted proxy answers it by itself


def _get(query: str) -> Request:
    return make_request(b"", method="GET", target=f"/hooks/orders?{query}", url=f"{URL}?{query}")


def _post(body: bytes, query: str = "", **headers: str) -> Request:
    pairs = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return make_request(body, pairs, target=f"/hooks/orders{query}", url=URL + query)


def _options(origin: str) -> Request:
    return make_request(
        b"", ((b"webhook-request-origin", origin.encode()), (b"webhook-request-rate", b"120")), method="OPTIONS"
    )


_GRID = [
    {
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
        "topic": "/subscriptions/sample",
        "subject": "",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp-eastus2.example/"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-01-25T22:12:19.4556811Z",
        "metadataVersion": "1",
        "dataVersion": "1",
    }
]
_INTENT = '{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4nd0mt3xt"}'

ASKED = [
    Asked(
        provider="woocommerce",
        source="github.com/woocommerce/woocommerce: class-wc-webhook.php, deliver_ping",
        request=_post(b"webhook_id=3", content_type="application/x-www-form-urlencoded"),
    ),
    Asked(
        provider="adobe_commerce",
        source="developer.adobe.com/events/docs/guides: the challenge request",
        request=_get("challenge=8ec8d794-e0ab-42df-9017-e3dada8e84f7"),
        body=b"8ec8d794-e0ab-42df-9017-e3dada8e84f7",
    ),
    Asked(
        provider="ebay",
        source="github.com/eBay/event-notification-nodejs-sdk: validateEndpoint",
        request=_get("challenge_code=a8628072-3d33-45ee-9004-bee86830a22d"),
        body=json.dumps(
            {
                "challengeResponse": hashlib.sha256(
                    f"a8628072-3d33-45ee-9004-bee86830a22d{VERIFY_TOKEN}{URL}".encode()
                ).hexdigest()
            },
            separators=(",", ":"),
        ).encode(),
        headers=((b"content-type", b"application/json"),),
        by_proxy=False,
    ),
    Asked(
        provider="ms_graph",
        source="learn.microsoft.com/graph/change-notifications-delivery-webhooks: notificationUrl validation",
        request=_post(b"", "?validationToken=Validation%3A+Testing+client+application", content_type="text/plain"),
        body=b"Validation: Testing client application",
        headers=((b"content-type", b"text/plain; charset=utf-8"),),
    ),
    Asked(
        provider="azure_event_grid",
        source="learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema",
        request=_post(json.dumps(_GRID).encode(), aeg_event_type="SubscriptionValidation"),
        body=b'{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}',
    ),
    Asked(
        provider="azure_event_grid",
        source="learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema",
        request=_options("eventgrid.azure.net"),
        headers=((b"webhook-allowed-origin", b"eventgrid.azure.net"), (b"webhook-allowed-rate", b"*")),
    ),
    Asked(
        provider="cloudevents",
        source="github.com/cloudevents/spec: cloudevents/http-webhook.md, 4.1",
        request=_options("eventemitter.example.com"),
        headers=((b"webhook-allowed-origin", b"eventemitter.example.com"), (b"webhook-allowed-rate", b"*")),
    ),
    Asked(
        provider="sap",
        source="help.sap.com: Business One SDK, AEVC (Handshake)",
        request=_options("sap.example.com"),
        headers=((b"webhook-allowed-origin", b"sap.example.com"),),
    ),
    Asked(
        provider="xero",
        source="developer.xero.com: configuring your server",
        request=_post(_INTENT.encode(), x_xero_signature=in_base64(_INTENT)),
        by_proxy=False,
    ),
]
EACH = pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.provider}-{asked.request.method}")


def _touchpoint(name: str) -> Touchpoint:
    secret = "app:cert" if name == "ebay" else RIGHT
    return make_touchpoint(name, secret, verify_token=VERIFY_TOKEN)


@EACH
def test_what_it_asks_is_answered(asked: Asked) -> None:
    """As its documents say, and without an event."""
    answer = receive(asked.request, _touchpoint(asked.provider))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, asked.body)
    assert {*asked.headers} <= {*answer.headers}
    assert (answer.secret, answer.visit) == ("", "")


@EACH
def test_a_hosted_proxy_answers_what_needs_no_secret(asked: Asked) -> None:
    """The same, and asks the agent for the rest; either way its listener lets the method through."""
    touchpoint = _touchpoint(asked.provider)
    answer = proxy_answer(asked.request, touchpoint.handshake, touchpoint.methods)

    assert (answer is not None) == asked.by_proxy
    assert answer is None or answer == receive(asked.request, touchpoint)
    assert needs_agent(asked.request, touchpoint.handshake) != asked.by_proxy
    assert asked.request.method in {*touchpoint.methods, *methods_of(touchpoint.handshake)}


def test_xero_sees_that_signatures_are_looked_at() -> None:
    """Its intent comes with wrong signatures, too, and those must be refused; without events it may say null."""
    wrong = _post(_INTENT.encode(), x_xero_signature=in_base64(_INTENT, WRONG))
    assert receive(wrong, _touchpoint("xero")) == Refused(code="signature_wrong")

    null = _INTENT.replace("[]", "null")
    assert isinstance(receive(_post(null.encode(), x_xero_signature=in_base64(null)), _touchpoint("xero")), Answer)


def test_a_signed_form_is_no_ping_of_woocommerce() -> None:
    """What brings a signature has to prove it."""
    forged = _post(b"webhook_id=3", x_wc_webhook_signature=in_base64("webhook_id=3", WRONG))
    assert receive(forged, _touchpoint("woocommerce")) == Refused(code="signature_wrong")

"""Adobe (Commerce webhooks, I/O Events) and Wix: signatures and tokens by keys of theirs, made here."""

import base64
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.keys import kept, made_key, pem_of, signature_of
from tests.touchpoints.providers.libraries import sample_of, text_of
from tests.touchpoints.providers.node import node
from touchpoints.moment import DAY, HOUR, SECOND, Micros
from touchpoints.published_key import KeyPlace
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified, Wanting


def _commerce(_now: Micros) -> Request:
    # github.com/AdobeDocs/commerce-extensibility: webhooks/signature-verification.md signs the body in Base64
    body = sample_of("adobe_commerce")
    return post(body, {"x-adobe-commerce-webhook-signature": signature_of(base64.b64encode(body.encode()))})


CLIENT = "606d4074c7ea4962aaf3bc2a5ac3b7f9"
_PATHS = {
    "x-adobe-public-key1-path": "/prod/keys/pub-key-lyTiz3gQe4.pem",
    "x-adobe-public-key2-path": "/prod/keys/pub-key-krWu4O.pem",
}
_ADOBE = [KeyPlace(kind="pem", url=f"https://static.adobeioevents.com{path}") for path in _PATHS.values()]


def _io_event(_now: Micros, client: str = CLIENT) -> Request:
    # github.com/adobe/aio-lib-events: signatureUtils.js; the body as in Experience League's example of a delivery
    document = {"type": "com.example.order", "event_id": "b555a1b1", "recipient_client_id": client, "data": {}}
    body = json.dumps(document)
    signatures = {
        "x-adobe-digital-signature-1": signature_of(body.encode()),
        "x-adobe-digital-signature-2": signature_of(body.encode()),
    }
    return post(body, {**_PATHS, **signatures, "x-adobe-event-id": "b555a1b1"})


def _wix(now: Micros, key: str = "", **claims: Any) -> Request:
    # dev.wix.com/docs/rest/articles/get-started/webhook-structure
    event = {"id": "ev-1", "entityFqdn": "wix.ecom.v1.order", "slug": "created", "entityId": "order-1042"}
    data = {"eventType": "wix.ecom.v1.order_created", "instanceId": "site", "data": json.dumps(event)}
    stamp = now // SECOND
    token = jwt.encode({"data": json.dumps(data), "iat": stamp, "exp": stamp + 60, **claims}, made_key(key), algorithm="RS256")
    return post(token, {"Content-Type": "text/plain"})


def _other_tokens(request: Request) -> tuple[Request, ...]:
    head, claims, signature = request.body.decode().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    with_public_key = jwt.api_jws.encode(b"{}", "x" * 64, algorithm="HS256")
    other = _wix(request.received_at, key="other").body.decode()
    bodies = (f"{head}.{claims[:-2]}AA.{signature}", f"{none}.{claims}.", with_public_key, other, f"{head}.{claims}", "", "{}")
    return tuple(replace(request, body=body.encode()) for body in bodies)


CASES = [
    Case(
        provider="adobe_commerce",
        send=_commerce,
        secret=pem_of(),
        wrong=pem_of("other"),
        proof="x-adobe-commerce-webhook-signature",
        reference="000001042",
    ),
    Case(
        provider="adobe_commerce",
        name="io",
        send=_io_event,
        secret=CLIENT,
        wrong=CLIENT[::-1],
        event_type="com.example.order",
        dedup="b555a1b1",
        wrong_code="recipient_wrong",
        keys=kept(*_ADOBE),
    ),
    Case(
        provider="wix",
        send=_wix,
        secret=pem_of(),
        wrong=pem_of("other"),
        event_type="wix.ecom.v1.order_created",
        dedup="ev-1",
        reference="order-1042",
        tampered=_other_tokens,
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.keys], ids=lambda case: f"{case.provider}{case.name}")
def test_a_published_key_that_is_not_at_hand_is_wanted(case: Case) -> None:
    """From the very place that is pinned, and from no other."""
    wanting = receive(case.send(NOW), case.made(case.secret))

    assert isinstance(wanting, Wanting)
    assert {place.url for place in wanting.keys} <= {place.url for place in case.keys}


def test_adobes_events_for_another_project_are_refused() -> None:
    """All projects share one key: whose event it is stands in the signed body."""
    case = next(case for case in CASES if case.name == "io")
    assert case.receive(_io_event(NOW, "0" * 32), CLIENT) == Refused(code="recipient_wrong")


@pytest.mark.timeout(120)
def test_adobes_library_judges_as_we_do() -> None:
    """aio-lib-events, over right, tampered and misdirected events, another key, and one right signature of the two."""
    case = next(case for case in CASES if case.name == "io")
    right = _io_event(NOW)
    half = _with(right, "x-adobe-digital-signature-1", signature_of(b"another"))
    other = _with(_with(right, "x-adobe-digital-signature-1", "AAAA"), "x-adobe-digital-signature-2", "AAAA")
    tampered = replace(right, body=right.body.replace(b'"data": {}', b'"data": []'))
    events = [right, half, other, tampered, _io_event(NOW, "0" * 32)]
    asked = [
        {
            "body": event.body.decode(),
            "signatures": [text_of(event.headers, f"x-adobe-digital-signature-{number}") for number in (1, 2)],
            "keys": [pem_of(), pem_of()],
            "client": CLIENT,
        }
        for event in events
    ]
    theirs = node("adobe.mjs", lines=[json.dumps(one) for one in asked])

    assert theirs == ["true", "true", "false", "false", "false"]
    assert [isinstance(case.receive(event, CLIENT), Verified) for event in events] == [one == "true" for one in theirs]
    strange = node("adobe.mjs", lines=[json.dumps(asked[0] | {"keys": [pem_of("other"), pem_of("other")]})])
    assert strange == ["false"]


def _with(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=tuple((k, value.encode() if k == name.encode() else v) for k, v in request.headers))


def test_adobes_key_path_leads_to_no_other_host() -> None:
    """It is appended to the fixed host, and then pinned."""
    case = next(case for case in CASES if case.name == "io")
    for path in (".evil.example/k.pem", "@evil.example/k.pem", ":443/k.pem", "/../k.pem", "//evil.example/k.pem", "/k.pem#x"):
        request = _io_event(NOW)
        headers = tuple((k, path.encode() if k.decode() in _PATHS else v) for k, v in request.headers)
        received = case.receive(replace(request, headers=headers), CLIENT)
        hosts = {place.url.split("/")[2] for place in received.keys} if isinstance(received, Wanting) else set()
        assert isinstance(received, Refused) or hosts == {"static.adobeioevents.com"}


def test_a_wix_token_has_an_end() -> None:
    """By its own exp, and two days later: for so long it may be the same one that is tried again."""
    touchpoint = make_touchpoint("wix", pem_of())

    assert isinstance(receive(replace(_wix(NOW), received_at=NOW + 2 * DAY), touchpoint), Verified)
    assert receive(replace(_wix(NOW), received_at=NOW + 2 * DAY + HOUR), touchpoint) == Refused(code="timestamp_stale")
    assert receive(_wix(NOW, nbf=(NOW + 3 * DAY) // SECOND), touchpoint) == Refused(code="timestamp_future")

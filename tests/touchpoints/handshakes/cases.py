"""One handshake of each kind as its sender asks it, with the answer it wants: for the pure part, a listener and a proxy."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from touchpoints.event import Headers
from touchpoints.touchpoint import Touchpoint, TouchpointState, Verification

SECRET = "correct horse"
VERIFY_TOKEN = "a-token-that-a-person-typed-in-at-the-sender"
HOOK_SECRET = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"
SIGNATURE = b"x-signature"
# A sentence, as Microsoft Graph's are.
GRAPH = "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a-494c-aaf1-ac0dcfca45b7"
EVENT_GRID = "Microsoft.EventGrid.SubscriptionValidationEvent"
SUBSCRIBE_URL = (
    "https://sns.us-east-2.amazonaws.com/?Action=ConfirmSubscription"
    "&TopicArn=arn:aws:sns:us-east-2:123456789012:MyTopic&Token=2336412f37fb687f5d51e6e2425e"
)


def touchpoint(handshake: str, *secrets: str, **fields: object) -> Touchpoint:
    """A touchpoint that is proved by an HMAC over its body, and has that handshake."""
    made = Touchpoint(
        id=5,
        name="asked",
        handshake=handshake,
        verification=Verification(signature="header:x-signature"),
        verify_token=VERIFY_TOKEN,
        secrets=secrets,
        state=TouchpointState.RUNNING if secrets else TouchpointState.SETUP,
    )
    return replace(made, **fields)  # type: ignore[arg-type] # the fields of Touchpoint


def signature(body: bytes, secret: str = SECRET) -> bytes:
    """Of a body, as the touchpoint's sender makes it."""
    return hmac.digest(secret.encode(), body, "sha256").hex().encode()


def signed(body: bytes, secret: str = SECRET) -> Headers:
    """The header with it."""
    return ((SIGNATURE, signature(body, secret)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is asked of a touchpoint, and what must be answered; `wanted` gets the endpoint URL."""

    name: str
    touchpoint: Touchpoint
    wanted: Callable[[str], bytes]
    method: str = "POST"
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    status: int = 200
    wanted_headers: Headers = ()
    by_proxy: bool  # a proxy answers by itself


def _text(text: str) -> Callable[[str], bytes]:
    return lambda _url: text.encode()


def _json(**fields: str) -> Callable[[str], bytes]:
    return lambda _url: json.dumps(fields, separators=(",", ":")).encode()


def _ebay(url: str) -> bytes:
    found = hashlib.sha256(b"code-1" + VERIFY_TOKEN.encode() + url.encode()).hexdigest()
    return json.dumps({"challengeResponse": found}, separators=(",", ":")).encode()


TEXT: Headers = ((b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff"))
JSON: Headers = ((b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"))

_SLACK = b'{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'
_ZOOM = b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}'
_XERO = b'{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}'
_GRID = json.dumps(
    [
        {
            "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
            "topic": "/subscriptions/x",
            "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://evil.example/"},
            "eventType": EVENT_GRID,
        }
    ]
).encode()

CASES = (
    Case(
        name="echo_query",
        touchpoint=touchpoint("echo_query:challenge", SECRET),
        method="GET",
        query="challenge=a-b_c",
        wanted=_text("a-b_c"),
        wanted_headers=TEXT,
        by_proxy=True,
    ),
    Case(
        name="echo_query_post",
        touchpoint=touchpoint("echo_query:validationToken:post", SECRET),
        query="validationToken=" + GRAPH.replace(" ", "+").replace(":", "%3A"),
        wanted=_text(GRAPH),
        wanted_headers=TEXT,
        by_proxy=True,
    ),
    Case(
        name="echo_query_if_token",
        touchpoint=touchpoint("echo_query_if_token:hub", SECRET),
        method="GET",
        query=f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}",
        wanted=_text("1158201444"),
        wanted_headers=TEXT,
        by_proxy=False,
    ),
    Case(
        name="echo_header_json",
        touchpoint=touchpoint("echo_header_json:x-okta-verification-challenge>verification", SECRET),
        method="GET",
        headers=((b"x-okta-verification-challenge", b"9TV4b-C6p"),),
        wanted=_json(verification="9TV4b-C6p"),
        wanted_headers=JSON,
        by_proxy=True,
    ),
    Case(
        name="json_challenge",
        touchpoint=touchpoint("json_challenge:url_verification", SECRET),
        body=_SLACK,
        headers=signed(_SLACK),
        wanted=_text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"),
        wanted_headers=TEXT,
        by_proxy=False,
    ),
    Case(
        name="json_challenge_in_setup",
        touchpoint=touchpoint("json_challenge:url_verification"),
        body=_SLACK,
        wanted=_text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"),
        wanted_headers=TEXT,
        by_proxy=False,
    ),
    Case(
        name="validation_code",
        touchpoint=touchpoint(f"validation_code:{EVENT_GRID}|options", SECRET),
        body=_GRID,
        wanted=_json(validationResponse="512d38b6-c7b8-40c8-89fe-f46f9e9622b6"),
        wanted_headers=JSON,
        by_proxy=True,
    ),
    Case(
        name="sha256_concat",
        touchpoint=touchpoint("sha256_concat:challenge_code"),
        method="GET",
        query="challenge_code=code-1",
        wanted=_ebay,
        wanted_headers=JSON,
        by_proxy=False,
    ),
    Case(
        name="crc_token",
        touchpoint=touchpoint("hmac_token:crc_token", SECRET),
        method="GET",
        query="crc_token=OTE0NjY1%2BNDEz&nonce=1",
        wanted=_json(
            response_token="sha256=" + base64.b64encode(hmac.digest(SECRET.encode(), b"OTE0NjY1+NDEz", "sha256")).decode()
        ),
        wanted_headers=JSON,
        by_proxy=False,
    ),
    Case(
        name="plain_token",
        touchpoint=touchpoint("hmac_token:plainToken", SECRET),
        body=_ZOOM,
        headers=signed(_ZOOM),
        wanted=_json(
            plainToken="qgg8vlvZRS6UYooatFL8Aw",
            encryptedToken=hmac.digest(SECRET.encode(), b"qgg8vlvZRS6UYooatFL8Aw", "sha256").hex(),
        ),
        wanted_headers=JSON,
        by_proxy=False,
    ),
    Case(
        name="bt_challenge",
        touchpoint=touchpoint("hmac_token:bt_challenge", "public:private"),
        method="GET",
        query="bt_challenge=20f9f8ed05f77439fe955c977e4c8a53",
        wanted=_text(
            "public|" + hmac.digest(hashlib.sha1(b"private").digest(), b"20f9f8ed05f77439fe955c977e4c8a53", "sha1").hex()  # noqa: S324 - Braintree's own
        ),
        wanted_headers=TEXT,
        by_proxy=False,
    ),
    Case(
        name="options",
        touchpoint=touchpoint("options", SECRET),
        method="OPTIONS",
        headers=(
            (b"webhook-request-origin", b"eventemitter.example.com"),
            (b"webhook-request-callback", b"https://evil.example/confirm"),
            (b"webhook-request-rate", b"120"),
        ),
        wanted=_text(""),
        wanted_headers=(
            (b"webhook-allowed-origin", b"eventemitter.example.com"),
            (b"webhook-allowed-rate", b"*"),
            (b"allow", b"POST"),
        ),
        by_proxy=True,
    ),
    Case(
        name="probe_head",
        touchpoint=touchpoint("status_probe:HEAD", SECRET),
        method="HEAD",
        wanted=_text(""),
        by_proxy=True,
    ),
    Case(
        name="probe_get",
        touchpoint=touchpoint("status_probe:GET", SECRET),
        method="GET",
        wanted=_text(""),
        by_proxy=True,
    ),
    Case(
        name="form_ping",
        touchpoint=touchpoint("form_ping:webhook_id", SECRET),
        body=b"webhook_id=12",
        wanted=_text(""),
        by_proxy=True,
    ),
    Case(
        name="itr",
        touchpoint=touchpoint("itr", SECRET),
        body=_XERO,
        headers=signed(_XERO),
        wanted=_text(""),
        by_proxy=False,
    ),
    Case(
        name="itr_wrongly_signed",
        touchpoint=touchpoint("itr", SECRET),
        body=_XERO,
        headers=signed(_XERO, "another"),
        status=401,
        wanted=_text(""),
        by_proxy=False,
    ),
)

ASANA = Case(
    name="echo_header",
    touchpoint=touchpoint("echo_header:x-hook-secret"),
    headers=((b"x-hook-secret", HOOK_SECRET.encode()),),
    body=b"{}",
    wanted=_text(""),
    wanted_headers=((b"x-hook-secret", HOOK_SECRET.encode()),),
    by_proxy=False,
)
NOTION = Case(
    name="capture_json",
    touchpoint=touchpoint("capture_json:verification_token"),
    body=json.dumps({"verification_token": "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}).encode(),
    wanted=_text(""),
    by_proxy=False,
)
NOTION_SECRET = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"

CONFIRMATION = json.dumps({"Type": "SubscriptionConfirmation", "MessageId": "m-1", "SubscribeURL": SUBSCRIBE_URL}).encode()
SNS = Case(
    name="fetch_url",
    touchpoint=touchpoint("fetch_url:sns", SECRET),
    body=CONFIRMATION,
    headers=signed(CONFIRMATION),
    wanted=_text(""),
    by_proxy=False,
)

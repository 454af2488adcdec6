"""Typeform, Calendly, Jira, Linear, Notion, Asana, Trello: forms, appointments, issues, pages, tasks and cards."""

import hashlib
import json
from typing import Any

import jwt
import pytest

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.hmacs import in_base64, in_hex
from tests.touchpoints.providers.libraries import asked, sample_of, signed_by, text_of
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request, Verified
from touchpoints.sign import sign

SECRET, WRONG = "a secret of at least 32 characters", "a secret of at least 32 characterz"


def _typeform(_now: Micros) -> Request:
    # https://www.typeform.com/developers/webhooks/secure-your-webhooks/
    body = sample_of("typeform")
    return post(body, {"Typeform-Signature": f"sha256={in_base64(body, SECRET)}"})


def _calendly(now: Micros) -> Request:
    # https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures
    body, stamp = sample_of("calendly"), now // SECOND
    return post(body, {"Calendly-Webhook-Signature": f"t={stamp},v1={in_hex(f'{stamp}.{body}', SECRET)}"})


def _jira(_now: Micros) -> Request:
    # https://developer.atlassian.com/cloud/jira/platform/webhooks/, "Secure admin webhooks"
    body = sample_of("jira")
    headers = {"X-Hub-Signature": f"sha256={in_hex(body, SECRET)}", "X-Atlassian-Webhook-Identifier": "w1"}
    return post(body, headers)


def _jira_connect(now: Micros, qsh: str = "POST&/hooks/orders&") -> Request:
    # https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/
    issued = now // SECOND
    claims = {"iss": "client", "iat": issued, "exp": issued + 180, "qsh": hashlib.sha256(qsh.encode()).hexdigest()}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    return post(sample_of("jira"), {"Authorization": f"JWT {token}", "X-Atlassian-Webhook-Identifier": "w1"})


def _other_address(_request: Request) -> tuple[Request, ...]:
    return tuple(_jira_connect(NOW, other) for other in ("GET&/hooks/orders&", "POST&/hooks/other&", "POST&/hooks/orders&a=1"))


def linear_body(now: Micros, **changes: Any) -> str:
    """A body that was sent at a moment: https://linear.app/developers/webhooks#securing-webhooks."""
    return json.dumps(json.loads(sample_of("linear")) | {"webhookTimestamp": now // 1000} | changes)


def _linear(now: Micros) -> Request:
    body = linear_body(now)
    return post(body, {"Linear-Signature": in_hex(body, SECRET), "Linear-Event": "Issue", "Linear-Delivery": "d1"})


def _notion(_now: Micros) -> Request:
    body = sample_of("notion")
    return post(body, {"X-Notion-Signature": signed_by("notion_sign", secret=SECRET, body=body)})


def _asana(_now: Micros) -> Request:
    # https://developers.asana.com/docs/webhooks-guide, "Signature"
    body = sample_of("asana")
    return post(body, {"X-Hook-Signature": in_hex(body, SECRET)})


def _trello(_now: Micros) -> Request:
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/, "Webhook Signatures"
    body = sample_of("trello")
    return post(body, {"X-Trello-Webhook": in_base64(body + URL, SECRET, "sha1")})


def _case(provider: str, **fields: Any) -> Case:
    return Case(**{"provider": provider, "secret": SECRET, "wrong": WRONG, **fields})


CASES = [
    _case(
        "typeform",
        send=_typeform,
        proof="typeform-signature",
        event_type="form_response",
        dedup="01HSAMPLE0000000000000000",
        reference="a3a12ec67a1365927098a606107fac15",
    ),
    _case(
        "calendly",
        send=_calendly,
        proof="calendly-webhook-signature",
        event_type="invitee.created",
        dedup="invitee.created:https%3A//api.calendly.com/scheduled_events/BBBBBBBBBBBBBBBB/invitees/CCCCCCCCCCCCCCCC"
        ":2026-01-01T00:00:00.000000Z",
        stamped=5 * MINUTE,
    ),
    _case(
        "jira",
        send=_jira,
        proof="x-hub-signature",
        event_type="jira:issue_created",
        dedup="w1",
        reference="SHOP-1042",
    ),
    _case(
        "jira",
        name="connect",
        send=_jira_connect,
        proof="authorization",
        event_type="jira:issue_created",
        dedup="w1",
        reference="SHOP-1042",
        stamped=8 * MINUTE,  # three minutes of its own, and five of ours
        tampered=_other_address,
    ),
    _case(
        "linear",
        send=_linear,
        proof="linear-signature",
        event_type="Issue",
        dedup="d1",
        reference="ENG-1042",
        stamped=5 * MINUTE,
    ),
    _case(
        "notion",
        send=_notion,
        proof="x-notion-signature",
        event_type="page.created",
        dedup="367cba44-0000-4000-8000-000000000000",
    ),
    _case("asana", send=_asana, proof="x-hook-signature", event_type="task:changed"),
    _case(
        "trello",
        send=_trello,
        proof="x-trello-webhook",
        event_type="createCard",
        dedup="51f9424bcd6e040f3c002412",
        reference="1042",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_notions_library_proves_what_we_sign() -> None:
    """And no other body."""
    body = sample_of("notion")
    signature = text_of(sign(make_touchpoint("notion", SECRET), body.encode(), (), NOW, URL, "m"), "x-notion-signature")
    asking = {"ask": "notion_verify", "secret": SECRET, "signature": signature}

    assert asked({**asking, "body": body}, {**asking, "body": body + " "}) == [True, False]


def test_linears_library_proves_what_linear_signs() -> None:
    """It reads the clock itself, so it only proves what was sent just now; another body it does not prove."""
    now = asked({"ask": "now"})[0] * (SECOND // 1000)
    request = _linear(now)
    asking = {"ask": "linear_verify", "secret": SECRET, "signature": text_of(request.headers, "linear-signature")}

    body = request.body.decode()
    assert asked({**asking, "body": body}, {**asking, "body": body + " "}) == [True, False]
    assert isinstance(receive(post(body, request.headers, received_at=now), make_touchpoint("linear", SECRET)), Verified)


def test_linears_stamp_is_taken_from_what_is_signed() -> None:
    """A header with another time changes nothing: no signature covers it."""
    body = linear_body(NOW - 60 * MINUTE)
    request = post(body, {"Linear-Signature": in_hex(body, SECRET), "Linear-Timestamp": str(NOW // 1000)})

    assert receive(request, make_touchpoint("linear", SECRET)) == Refused(code="timestamp_stale")


def test_the_address_that_trello_signs_is_the_one_it_was_given() -> None:
    """With its query, which tells several webhooks apart; and never the one in the Host header."""
    body, url = sample_of("trello"), f"{URL}?board=14"
    headers = {"X-Trello-Webhook": in_base64(body + url, SECRET, "sha1"), "Host": "evil.example"}
    touchpoint = make_touchpoint("trello", SECRET)

    assert isinstance(receive(post(body, headers, url=url, target="/hooks/orders?board=14"), touchpoint), Verified)
    assert receive(post(body, headers), touchpoint) == Refused(code="signature_wrong")


def test_an_item_of_asana_has_its_own_type() -> None:
    """Alone, as splitting makes it; and a body without events, Asana's sign of life, has none."""
    item = json.dumps(json.loads(sample_of("asana"))["events"][0])
    types = []
    for body in (item, '{"events":[]}'):
        received = receive(post(body, {"X-Hook-Signature": in_hex(body, SECRET)}), make_touchpoint("asana", SECRET))
        assert isinstance(received, Verified)
        types.append(received.event_type)

    assert types == ["task:changed", ""]


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("asana", post("{}", {"X-Hook-Secret": "b537207f20cbfa02357cf448134da559"})),
        ("notion", post('{"verification_token":"b537207f20cbfa02357cf448134da559"}', {})),
    ],
)
def test_a_secret_that_the_sender_makes_is_taken_in_setup_alone(name: str, request_: Request) -> None:
    """Afterwards anybody could replace it."""
    answer = receive(request_, make_touchpoint(name))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.secret) == (200, "b537207f20cbfa02357cf448134da559")

    later = receive(request_, make_touchpoint(name, SECRET))
    assert later == Answer(status=403) if name == "asana" else isinstance(later, Refused)


def test_trello_asks_whether_somebody_is_there() -> None:
    """By HEAD, which must get 200."""
    assert receive(post("", {}, method="HEAD"), make_touchpoint("trello")) == Answer()

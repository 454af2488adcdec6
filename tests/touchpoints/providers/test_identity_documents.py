"""Okta, Dropbox, Docusign: who somebody is, and what lies in files and envelopes."""

import json
from dataclasses import replace

import pytest

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants, without
from tests.touchpoints.providers.hmacs import in_base64, in_hex
from tests.touchpoints.providers.libraries import sample_of
from touchpoints.moment import Micros
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request, Verified

SECRET, WRONG = "a long random text", "a long random texu"
ENVELOPE = "00000000-0000-4000-8000-000000001042"


def _okta(token: str) -> Request:
    # okta/okta-developer-docs, concepts/event-hooks, "HTTP Headers"
    return post(sample_of("okta"), {"Authorization": token, "Content-Type": "application/json"})


def _dropbox(_now: Micros) -> Request:
    # https://www.dropbox.com/developers/reference/webhooks, "Notifications"
    body = sample_of("dropbox")
    return post(body, {"X-Dropbox-Signature": in_hex(body, SECRET)})


def docusign(body: str, *secrets: str) -> Request:
    """One header for each active key: https://developers.docusign.com/platform/webhooks/connect/validate.md."""
    numbered = {f"X-DocuSign-Signature-{at}": in_base64(body, secret) for at, secret in enumerate(secrets, 1)}
    return post(body, {"X-Authorization-Digest": "HMACSHA256", **numbered})


CASES = [
    Case(
        provider="okta",
        send=lambda _now: _okta(SECRET),
        secret=SECRET,
        wrong=WRONG,
        proof="authorization",
        event_type="user.session.start",
        dedup="b5a188b9-0000-4000-8000-000000000000",
        wrong_code="credential_wrong",
        missing_code="credential_missing",
        tampered=lambda _request: tuple(_okta(one) for one in (WRONG, f"Bearer {SECRET}", SECRET + " ", SECRET[:-1], "")),
    ),
    Case(
        provider="dropbox",
        send=_dropbox,
        secret=SECRET,
        wrong=WRONG,
        proof="x-dropbox-signature",
        event_type="dropbox.changed",
    ),
    Case(
        provider="docusign",
        send=lambda _now: docusign(sample_of("docusign"), SECRET),
        secret=SECRET,
        wrong=WRONG,
        proof="x-docusign-signature-1",
        event_type="envelope-completed",
        dedup=f"{ENVELOPE}:envelope-completed:2026-01-01T00:00:00.0000000Z",
        reference=ENVELOPE,
        repeated_code=None,
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_any_of_docusigns_keys_proves() -> None:
    """Docusign signs by every active key; whichever of them we know is enough, wherever it stands."""
    keys = [f"key {number}" for number in range(1, 101)]
    request = docusign(sample_of("docusign"), *keys)
    touchpoint = make_touchpoint("docusign", "key 100")

    assert isinstance(receive(request, touchpoint), Verified)
    fewer = without(request, "x-docusign-signature-100")
    assert receive(fewer, touchpoint) == Refused(code="signature_wrong")


def test_two_recipients_of_an_envelope_are_two_events() -> None:
    """They may be done at the same moment; a repeat differs in its retry count alone."""
    keys = set()
    for recipient, tries in (("1", 0), ("2", 0), ("2", 1)):
        body = json.loads(sample_of("docusign")) | {"event": "recipient-completed", "retryCount": tries}
        body["data"] |= {"recipientId": recipient}
        received = receive(docusign(json.dumps(body), SECRET), make_touchpoint("docusign", SECRET))
        assert isinstance(received, Verified)
        keys.add(received.dedup_key)

    assert len(keys) == 2


def test_okta_may_send_its_token_in_another_header() -> None:
    """The configuration says in which."""
    verification = replace(make_touchpoint("okta").verification, credential="header:x-hook-token")
    touchpoint = make_touchpoint("okta", SECRET, verification=verification)

    assert isinstance(receive(post(sample_of("okta"), {"X-Hook-Token": SECRET}), touchpoint), Verified)
    assert receive(_okta(SECRET), touchpoint) == Refused(code="credential_missing")


def test_an_item_of_okta_has_its_own_type_and_id() -> None:
    """Alone, as splitting makes it."""
    body = json.dumps(json.loads(sample_of("okta"))["data"]["events"][0])

    received = receive(post(body, {"Authorization": SECRET}), make_touchpoint("okta", SECRET))

    assert isinstance(received, Verified)
    assert (received.event_type, received.dedup_key) == ("user.session.start", "7:f790999f-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("name", "request_", "body"),
    [
        ("okta", post("", {"X-Okta-Verification-Challenge": "Ab-1"}, method="GET"), b'{"verification":"Ab-1"}'),
        ("dropbox", post("", {}, method="GET", target="/hooks/orders?challenge=Ab-1"), b"Ab-1"),
    ],
)
def test_the_endpoint_is_confirmed(name: str, request_: Request, body: bytes) -> None:
    """In setup and later, with what the sender's document says it must be answered with."""
    for secrets in ((), (SECRET,)):
        answer = receive(request_, make_touchpoint(name, *secrets))
        assert isinstance(answer, Answer)
        assert (answer.status, answer.body) == (200, body)
        assert (b"x-content-type-options", b"nosniff") in answer.headers


def test_dropbox_knows_no_repeats() -> None:
    """Two equal notifications are two changes."""
    received = receive(_dropbox(NOW), make_touchpoint("dropbox", SECRET))

    assert isinstance(received, Verified)
    assert received.dedup_key is None

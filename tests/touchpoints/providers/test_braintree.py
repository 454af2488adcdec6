"""Braintree: its own gateway signs sample notifications of every kind."""

import warnings
from base64 import b64decode
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from touchpoints.receive import receive
from touchpoints.request import Answer, Request, Verified

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its own enums warn about themselves
    import braintree

_CONFIGURATION = braintree.Configuration(
    environment=braintree.Environment.Sandbox,
    merchant_id="merchant",
    public_key="integration_public_key",
    private_key="integration_private_key",
)
SECRET = "integration_public_key:integration_private_key"


def _gateway() -> Any:
    return braintree.BraintreeGateway(_CONFIGURATION)


def _notification(kind: str, subject: str = "1042") -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # datetime.utcnow
        sample: dict[str, Any] = _gateway().webhook_testing.sample_notification(kind, subject)
    return sample


def _send(kind: str) -> Request:
    return post(urlencode(_notification(kind)), {"Content-Type": "application/x-www-form-urlencoded"})


def _others(_request: Request) -> tuple[Request, ...]:
    sample = _notification("transaction_settled")
    another = _notification("transaction_settled", "1043")
    forms: list[list[tuple[str, Any]]] = [
        [("bt_signature", sample["bt_signature"]), ("bt_payload", another["bt_payload"])],
        [("bt_signature", sample["bt_signature"]), ("bt_payload", b"PG5v" + sample["bt_payload"])],
        [("bt_signature", sample["bt_signature"].replace("integration", "other")), ("bt_payload", sample["bt_payload"])],
        [("bt_signature", ""), ("bt_payload", sample["bt_payload"])],
        [("bt_signature", sample["bt_signature"])],
        [("bt_payload", sample["bt_payload"])],
        [*sample.items(), ("bt_payload", another["bt_payload"])],
        [*sample.items(), ("bt_signature", "x|y")],
    ]
    return tuple(post(urlencode(form), {}) for form in forms)


CASES = [
    Case(
        provider="braintree",
        send=lambda _now: _send("transaction_settled"),
        secret=SECRET,
        wrong="integration_public_key:integration_private_kez",
        event_type="transaction_settled",
        reference="1042",
        tampered=_others,
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


_KINDS = [
    value for name, value in vars(braintree.WebhookNotification.Kind).items() if isinstance(value, str) and name[0] != "_"
]


@pytest.mark.parametrize("kind", sorted(set(_KINDS)))
def test_every_kind_of_braintrees_own_samples(kind: str) -> None:
    """Each is proved and told by its name."""
    received = receive(_send(kind), make_touchpoint("braintree", SECRET))

    assert isinstance(received, Verified)
    assert received.event_type == kind


def test_of_several_public_keys_ours_is_looked_for() -> None:
    """Several pairs come along, one for each key of the account."""
    sample = _notification("check")
    pairs = "other_key|0000000000000000000000000000000000000000&" + sample["bt_signature"]
    request = post(urlencode(sample | {"bt_signature": pairs}), {})

    assert isinstance(receive(request, make_touchpoint("braintree", SECRET)), Verified)


def test_the_library_takes_our_answer_to_its_challenge_as_its_own() -> None:
    """GET ?bt_challenge: webhook_notification.verify gives the same."""
    challenge = "20f9f8ed05f77439fe955c977e4c8a53"
    asked = make_request(b"", (), method="GET", target=f"/hooks/orders?bt_challenge={challenge}")

    answer = receive(asked, make_touchpoint("braintree", SECRET))
    assert isinstance(answer, Answer)
    assert answer.body.decode() == _gateway().webhook_notification.verify(challenge)


def test_the_library_reads_what_we_proved() -> None:
    """Its parse sees the same kind in the same request."""
    case, sample = CASES[0], _notification("transaction_settled")
    request = replace(case.send(NOW), body=urlencode(sample).encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parsed = _gateway().webhook_notification.parse(sample["bt_signature"], sample["bt_payload"].decode())

    received = case.receive(request, SECRET)
    assert isinstance(received, Verified)
    assert received.event_type == parsed.kind
    assert b"transaction_settled" in b64decode(sample["bt_payload"])

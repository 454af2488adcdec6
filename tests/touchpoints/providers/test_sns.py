"""Amazon SNS: messages by a key whose certificate they name. The key is made here."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes

from tests.touchpoints.factory import NOW, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.keys import kept, signature_of
from tests.touchpoints.providers.libraries import sample_of
from touchpoints.published_key import KeyPlace
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request, Wanting

TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
_CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000.pem"
_SNS_KEYS = kept(KeyPlace(kind="x509", url=_CERTIFICATE))


def _sns(version: str = "2", **fields: str) -> Request:
    # docs.aws.amazon.com: verifying the signatures of Amazon SNS messages
    message: dict[str, str] = json.loads(sample_of("aws_sns")) | {"SigningCertURL": _CERTIFICATE, "SignatureVersion": version}
    message |= fields
    confirms = message["Type"] != "Notification"
    names = ["Message", "MessageId", *(["SubscribeURL"] if confirms else ["Subject"]), "Timestamp"]
    names += ["Token", "TopicArn", "Type"] if confirms else ["TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    signature = signature_of(text.encode(), algorithm=hashes.SHA1() if version == "1" else None)  # noqa: S303 - its version 1
    return post(json.dumps(message | {"Signature": signature}), {"x-amz-sns-message-type": message["Type"]})


def _other_messages(request: Request) -> tuple[Request, ...]:
    message = json.loads(request.body)
    changes: list[Mapping[str, object]] = [
        {"Message": "other"},
        {"MessageId": "other"},
        {"Subject": "other"},
        {"Timestamp": "2027-01-01T00:00:00.000Z"},
        {"TopicArn": TOPIC.replace("orders", "others")},
        {"Type": "UnsubscribeConfirmation"},
        {"SignatureVersion": "1" if message["SignatureVersion"] == "2" else "2"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000.pem"},
        {"Signature": ""},
    ]
    return (*(replace(request, body=json.dumps(message | one).encode()) for one in changes), replace(request, body=b"{}"))


CASES = [
    Case(
        provider="aws_sns",
        send=lambda _now: _sns(),
        secret=TOPIC,
        wrong=TOPIC.replace("orders", "others"),
        event_type=TOPIC,
        dedup="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        reference="Sample",
        wrong_code="recipient_wrong",
        tampered=_other_messages,
        keys=_SNS_KEYS,
    ),
    Case(
        provider="aws_sns",
        name="version1",
        send=lambda _now: _sns("1"),
        secret=TOPIC,
        wrong=TOPIC.replace("orders", "others"),
        event_type=TOPIC,
        dedup="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        reference="Sample",
        wrong_code="recipient_wrong",
        tampered=_other_messages,
        keys=_SNS_KEYS,
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


def test_a_confirmation_of_sns_is_visited_once_it_is_proved() -> None:
    """Of our topic only, and only at Amazon's own address."""
    visit = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    asked = _sns(Type="SubscriptionConfirmation", Token="2336412f37", SubscribeURL=visit)

    received = receive(asked, make_touchpoint("aws_sns", TOPIC), _SNS_KEYS)
    assert isinstance(received, Answer)
    assert received.visit == visit
    assert isinstance(receive(asked, make_touchpoint("aws_sns", TOPIC + "2"), _SNS_KEYS), Refused)


def test_raw_messages_of_sns_prove_nothing() -> None:
    """Raw message delivery leaves the signature out."""
    assert receive(post("hello", {"x-amz-sns-rawdelivery": "true"}), make_touchpoint("aws_sns", TOPIC)) == Refused(
        code="signature_missing"
    )

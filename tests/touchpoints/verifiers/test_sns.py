"""Amazon SNS messages, right, wrong and hostile."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from tests.touchpoints.keys import certificate, ec_key, published, rsa_key, signature
from tests.touchpoints.providers.node import node
from tests.touchpoints.verifiers.keyed import at_hand, outcome
from touchpoints.key_reading import read_published
from touchpoints.published_key import KeyPlace
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verifiers.sns import MOST_BYTES, confirmation, is_arn, place_of

ARN = "arn:aws:sns:us-west-2:123456789012:MyTopic"
CERTIFICATE = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"
SUBSCRIBE = f"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"
KEYS = at_hand(published(KeyPlace(kind="x509", url=CERTIFICATE), _=rsa_key()))
# docs.aws.amazon.com, Amazon SNS: verifying the signatures of messages, the order of what is signed.
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def message(version: str = "1", **fields: Any) -> dict[str, Any]:
    """A message as SNS sends it, signed; `None` leaves a field out."""
    made: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": ARN,
        "Subject": "My First Message",
        "Message": 'Hello\n"world" é ☃!',
        "Timestamp": "2012-05-02T00:54:06.655Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **fields,
    }
    made = {name: value for name, value in made.items() if value is not None}
    names = NOTIFICATION if made["Type"] == "Notification" else CONFIRMATION
    text = "".join(f"{name}\n{made[name]}\n" for name in names if name in made)
    algorithm = "rsa-sha1" if version == "1" else "rsa-sha256"
    return {**made, "Signature": base64.b64encode(signature(algorithm, rsa_key(), text.encode())).decode()}


def confirming(**fields: Any) -> dict[str, Any]:
    return message(
        **{"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": SUBSCRIBE, "Subject": None, **fields}
    )


def touchpoint(*topics: str) -> Touchpoint:
    return make_touchpoint("aws_sns", *(topics or (ARN,)))


def why(made: Any, *topics: str, keys: Any = KEYS) -> Any:
    body = made if isinstance(made, bytes) else json.dumps(made).encode()
    return outcome(make_request(body), touchpoint(*topics), keys)


@pytest.mark.parametrize("version", ["1", "2"])
def test_each_type_of_message_is_proved_by_what_it_signs(version: str) -> None:
    """In both versions, with and without a subject."""
    unsubscribing = confirming(Type="UnsubscribeConfirmation", version=version)
    for made in (message(version), message(version, Subject=None), confirming(version=version), unsubscribing):
        assert why(made) == ""
        for name in made.keys() - {"Signature", "SignatureVersion", "SigningCertURL", "Type"}:
            assert why({**made, name: made[name] + " "}) != "", name
            assert why({key: value for key, value in made.items() if key != name}) != "", name


def test_amazons_own_validator_agrees() -> None:
    """What we prove it proves, and what we refuse it refuses."""
    right = [message(), message(Subject=None), confirming(), message(Message="é" * 1000)]
    wrong = [{**one, "Message": "other"} for one in right]
    lines = [json.dumps({"message": one, "certificate": certificate(rsa_key())}) for one in (*right, *wrong)]

    assert node("sns.mjs", lines=lines) == ["true"] * 4 + ["false"] * 4
    assert [why(one) for one in (*right, *wrong)] == [""] * 4 + ["signature_wrong"] * 4


def test_a_message_with_a_null_subject_has_none() -> None:
    """As Amazon's validator reads it."""
    assert why({**message(Subject=None), "Subject": None}) == ""


def test_a_field_that_is_no_text_is_not_taken_for_its_text() -> None:
    """Else a message could be read otherwise than it was signed."""
    for text, other in (("None", None), ("7", 7), ("True", True), ("['a']", ["a"])):
        assert why({**message(Message=text), "Message": other}) == "signature_malformed"
    without = message(Message="None")
    del without["Message"]
    assert why(without) == "signature_malformed"


def test_a_type_that_is_none_of_the_three_signs_nothing() -> None:
    """Also where nothing is what was signed."""
    empty = base64.b64encode(signature("rsa-sha1", rsa_key(), b"")).decode()
    for kind in ("Other", "notification", "", 7, None):
        assert why({**message(), "Type": kind, "Signature": empty}) == "signature_malformed"


def test_a_signature_that_is_no_base64_is_refused() -> None:
    """Though everything else is right."""
    for wrong in ("!", "AAA", "é", "", 7, None):
        assert why({**message(), "Signature": wrong}) == "signature_malformed"


def test_a_version_that_is_not_the_signatures_proves_nothing() -> None:
    """A SHA-1 signature is not taken for the other, and no third version is known."""
    assert why({**message("2"), "SignatureVersion": "1"}) == "signature_wrong"
    assert why({**message("1"), "SignatureVersion": "2"}) == "signature_wrong"
    for version in ("3", "", 1, None):
        assert why({**message("1"), "SignatureVersion": version}) == "signature_malformed"


def test_only_our_topics_may_send() -> None:
    """Every customer of Amazon's has messages signed by the same certificate."""
    assert why(message(), "arn:aws:sns:us-west-2:123456789012:Other", ARN) == ""
    assert why(message(), "arn:aws:sns:us-west-2:123456789012:Other") == "recipient_wrong"
    assert why(message(TopicArn="arn:aws:sns:us-west-2:999999999999:MyTopic")) == "recipient_wrong"


def test_the_certificate_is_wanted_until_it_is_at_hand_and_must_be_valid() -> None:
    """Its dates are those of the moment when the message came."""
    place = KeyPlace(kind="x509", url=CERTIFICATE)
    assert why(message(), keys={}) == (place,)
    for starts, ends, code in ((-9, 9, ""), (-9, -1, "certificate_expired"), (1, 9, "certificate_expired")):
        read = read_published(place, certificate(rsa_key(), starts=starts, ends=ends).encode(), NOW)
        assert why(message(), keys=at_hand(read)) == code
    assert why(message(), keys=at_hand(published(place, _=rsa_key("other")))) == "signature_wrong"
    assert why(message(), keys=at_hand(published(place, _=ec_key()))) == "signature_wrong"


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-west-2.amazonaws.com.evil/x.pem",
        "https://sns.evil/x.pem",
        "https://evil.example/x.pem",
        "https://s3.us-west-2.amazonaws.com/sns.pem",
        "https://sns.s3.amazonaws.com/x.pem",
        "https://sns.s3-us-west-2.amazonaws.com/x.pem",
        "https://sns.s3-website-us-west-2.amazonaws.com/x.pem",
        "https://sns.elb.amazonaws.com/x.pem",
        "https://sns.us-west-2.amazonaws.com@evil.example/x.pem",
        "https://sns.us-west-2.amazonaws.com:8443/x.pem",
        "https://sns.us-west-2.amazonaws.com./x.pem",
        "http://sns.us-west-2.amazonaws.com/x.pem",
        "https://sns.us-west-2.amazonaws.com/?Action=GetTopicAttributes&x=.pem",
        "https://sns.us-west-2.amazonaws.com/x?y=.pem",
        "https://sns.us-west-2.amazonaws.com/a/x.pem",
        "https://sns.us-west-2.amazonaws.com/x.pem?Action=GetTopicAttributes",
        "https://sns.us-west-2.amazonaws.com/x.pem/y",
        "https://sns.us-west-2.amazonaws.com/x.pemx",
        "https://sns.us-west-2.amazonaws.com/x.pem#y",
        "https://sns.us-west-2.amazonaws.com/x.txt",
        "https://sns.us-west-2.amazonaws.com\\@evil.example/x.pem",
        "https://sns.us\u2024west.amazonaws.com/x.pem",
        "",
        7,
        None,
    ],
)
def test_no_other_address_is_asked_for_a_certificate(url: Any) -> None:
    """Not even of Amazon's own names: it repeats in answers what it was told, and has others' buckets called sns."""
    assert why(message(SigningCertURL=url)) == "key_untrusted"


def test_the_hosts_of_the_providers_file_are_the_only_ones() -> None:
    """Where it names none, ours are."""

    def of(*hosts: str) -> Any:
        made = make_touchpoint("aws_sns", ARN, verification=Verification(scheme="sns", key_hosts=hosts))
        return outcome(make_request(json.dumps(message()).encode()), made, KEYS)

    assert of() == ""
    assert of("sns.us-west-2.amazonaws.com") == ""
    assert of("sns.eu-west-1.amazonaws.com") == "key_untrusted"


def test_the_regions_of_china_have_a_name_of_their_own() -> None:
    """It is pinned too."""
    for region in ("us-east-1", "us-gov-west-1", "ap-southeast-4", "mx-central-1", "us-isob-east-1"):
        assert place_of(f"https://sns.{region}.amazonaws.com/x.pem")
    assert place_of("https://sns.cn-north-1.amazonaws.com.cn/x.pem")
    assert not place_of("https://sns.cn-north-1.amazonaws.com.tw/x.pem")


def test_a_name_that_stands_twice_is_refused() -> None:
    """One reader takes the first, another the last: the message that was proved would not be the one that is read."""
    body = json.dumps(message()).encode()
    for twice in (b'{"Message":"evil",' + body[1:], body[:-1] + b',"Message":"evil"}', body[:-1] + b',"x":{"a":1,"a":2}}'):
        assert why(twice) in {"signature_ambiguous", "signature_wrong"}
    assert why(b'{"Message":"evil",' + body[1:]) == "signature_ambiguous"


def test_what_selectors_cannot_read_is_refused() -> None:
    """It would have no id, and could be sent again and again."""
    body = json.dumps(message()).encode()
    assert why(body[:-1] + b',"x":NaN}') == "signature_missing"
    assert why(body.decode().encode("utf-16")) == "signature_missing"
    assert why(b"\xef\xbb\xbf" + body) == "signature_malformed"


NONE = [b"", b"{}", b"[]", b"null", b"raw delivery", b"[" * 100_000, b" " * (MOST_BYTES + 1), b'{"Type":7}']


@pytest.mark.parametrize("body", NONE, ids=range(len(NONE)))
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    """Raw delivery is not signed."""
    assert why(body) == "signature_missing"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.sampled_from([*message(), *confirming(), "x"]), JSON))
def test_no_fields_raise_and_none_are_proved_by_chance(fields: dict[str, Any]) -> None:
    """Alone or in place of those that were signed."""
    assert why(fields) != ""
    made = message()
    changed = {**made, **fields}
    if any(changed[name] != made[name] for name in NOTIFICATION):
        assert why(changed) != ""


def test_a_confirmation_tells_the_address_to_be_visited() -> None:
    """Of every other message there is none; a strange address is told as such."""

    def asks(made: dict[str, Any]) -> str | None:
        return confirmation(Reading(make_request(json.dumps(made).encode())))

    assert asks(confirming()) == SUBSCRIBE
    assert asks(message()) is None
    for body in (b"[]", b"null", b"x", b'{"Type":7}'):
        assert confirmation(Reading(make_request(body))) is None
    assert asks(confirming(Type="UnsubscribeConfirmation")) is None
    for url in (
        SUBSCRIBE.replace("amazonaws.com", "amazonaws.com.evil"),
        SUBSCRIBE.replace("https:", "http:"),
        SUBSCRIBE.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE.replace("/?", "@evil.example/?"),
        SUBSCRIBE.replace("/?", ":8443/?"),
        SUBSCRIBE + "&Next=1",
        SUBSCRIBE + "#x",
        SUBSCRIBE + " ",
        "",
    ):
        assert asks(confirming(SubscribeURL=url)) == "", url


def test_the_form_of_a_topics_arn() -> None:
    """Also of FIFO topics and of the other partitions."""
    for arn in (ARN, ARN + ".fifo", "arn:aws-cn:sns:cn-north-1:123456789012:x", f" {ARN}\n"):
        assert is_arn(arn)
    for arn in ("", "MyTopic", ARN + ":subscription", "arn:aws:sqs:us-west-2:123456789012:x", ARN + "é"):
        assert not is_arn(arn)

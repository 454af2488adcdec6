"""HMAC signatures, right, wrong and hostile."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from tests.touchpoints.factory import NOW, WHSEC, make_request, make_touchpoint, replaced
from tests.touchpoints.proving import HMAC, signature_header, signed, value_of, why
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Verified
from touchpoints.touchpoint import Touchpoint, Verification

BODIES = [
    b"",
    b"{}",
    b'{"price":"1\\/2","name":"caf\xc3\xa9","id":1e400}',
    b'{"a":1,"a":2,"lone":"\\ud800","nul":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    b"line\r\nline\0end",
    b"\xff\xfe not UTF-8 \x80",
    b"x" * 1_000_000,
]


@HMAC
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_the_exact_bytes_are_proved(touchpoint: Touchpoint, body: bytes) -> None:
    """Whatever the bytes are, they are never decoded, parsed or written anew; one more byte and the proof is gone."""
    headers = signed(touchpoint, body)

    assert why(make_request(body, headers), touchpoint) == ""
    assert why(make_request(body + b" ", headers), touchpoint) == "signature_wrong"


@HMAC
def test_a_missing_signature_is_refused(touchpoint: Touchpoint) -> None:
    """No header, no proof."""
    headers = replaced(signed(touchpoint), signature_header(touchpoint))

    assert why(make_request(headers=headers), touchpoint) == "signature_missing"


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_another_prefix_of_the_same_length_is_refused(encoding: str) -> None:
    """The prefix names the signature's version: what stands behind another one was not meant by ours."""
    verification = Verification(signature="header:x-sig", encoding=encoding, prefix="v0=")
    touchpoint = make_touchpoint("generic", "secret", verification=verification)
    headers = signed(touchpoint)
    right = value_of(headers, "x-sig")
    assert why(make_request(headers=headers), touchpoint) == ""
    for wrong in (b"v9=" + right[3:], b"V0=" + right[3:], right[3:], b""):
        assert why(make_request(headers=replaced(headers, "x-sig", wrong)), touchpoint) == "signature_malformed", wrong


@HMAC
def test_a_duplicate_signature_is_refused(touchpoint: Touchpoint) -> None:
    """Two signature headers are one too many, even when both are right."""
    name = signature_header(touchpoint)
    right = value_of(signed(touchpoint), name)
    headers = signed(touchpoint)

    assert why(make_request(headers=replaced(headers, name, right, right)), touchpoint) == "signature_ambiguous"
    assert why(make_request(headers=replaced(headers, name, right, b"x")), touchpoint) == "signature_ambiguous"


@HMAC
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"garbage",
        b"\xff\xfe",
        b"\xd9\xa3" * 32,
        b"sha256=",
        b"v0=",
        b"t=,v1=",
        b"v1,",
        b"=" * 44,
        b"a" * 100_000,
        b"v1," * 5000,
    ],
)
def test_a_malformed_signature_is_refused(touchpoint: Touchpoint, value: bytes) -> None:
    """Empty, not hexadecimal, not Base64, not ASCII, gigantic."""
    headers = replaced(signed(touchpoint), signature_header(touchpoint), value)

    assert why(make_request(headers=headers), touchpoint) == "signature_malformed"


@HMAC
def test_every_single_wrong_character_is_noticed(touchpoint: Touchpoint) -> None:
    """A signature with any character of its digest changed proves nothing."""
    name = signature_header(touchpoint)
    right = value_of(signed(touchpoint), name)
    for index in range(len(right) - 30, len(right)):
        wrong = right[:index] + (b"0" if right[index : index + 1] != b"0" else b"1") + right[index + 1 :]
        assert why(make_request(headers=replaced(signed(touchpoint), name, wrong)), touchpoint) in {
            "signature_wrong",
            "signature_malformed",
        }


@HMAC
def test_secrets_can_be_rotated(touchpoint: Touchpoint) -> None:
    """Any of several secrets proves; none proves nothing; one of the wrong form is passed over."""
    headers = signed(touchpoint)
    other = "whsec_" + base64.b64encode(b"other").decode() if touchpoint.verification.key == "whsec" else "1234"
    right = touchpoint.secrets[0]

    assert why(make_request(headers=headers), replace(touchpoint, secrets=(other, right))) == ""
    assert why(make_request(headers=headers), replace(touchpoint, secrets=(right, other))) == ""
    assert why(make_request(headers=headers), replace(touchpoint, secrets=(other,))) == "signature_wrong"
    assert why(make_request(headers=headers), replace(touchpoint, secrets=())) == "no_secret"
    assert why(make_request(headers=headers), replace(touchpoint, secrets=("é!", right))) == ""


def test_a_secret_of_the_wrong_form_is_named() -> None:
    """When no secret can be a key, the reason is the secret and not the sender."""
    touchpoint = make_touchpoint("svix", WHSEC)

    assert why(make_request(headers=signed(touchpoint)), replace(touchpoint, secrets=("not base64!",))) == "secret_unusable"


TIMED = pytest.mark.parametrize("name", ["stripe", "standard_webhooks", "svix", "slack"])


@TIMED
@pytest.mark.parametrize(
    ("late", "code"),
    [
        (0, ""),
        (299 * SECOND, ""),
        (-299 * SECOND, ""),
        (5 * MINUTE + 2 * SECOND, "timestamp_stale"),
        (-5 * MINUTE - 2 * SECOND, "timestamp_future"),
        (365 * 24 * 60 * MINUTE, "timestamp_stale"),
    ],
)
def test_timestamps_are_fresh_in_both_directions(name: str, late: Micros, code: str) -> None:
    """Five minutes either way, although Stripe's own library only looks back."""
    touchpoint = make_touchpoint(name, WHSEC)

    assert why(make_request(headers=signed(touchpoint)), touchpoint, NOW + late) == code


STAMPS = [
    b"",
    b"1e9",
    b"+5",
    b"-5",
    b" 5",
    b"5 ",
    b"0x10",
    b"1_0",
    "٣".encode(),
    b"\xb2",
    b"9" * 400,
    b"1.5",
    b"NaN",
    b"inf",
    b"5\n",
]


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("name", ["standard_webhooks", "slack"])
def test_a_malformed_timestamp_is_refused_even_when_signed(name: str, stamp: bytes) -> None:
    """Only plain digits are a timestamp."""
    touchpoint = make_touchpoint(name, WHSEC)
    place = touchpoint.verification.timestamp.removeprefix("header:").removesuffix(":s")

    assert why(make_request(headers=replaced(signed(touchpoint), place, stamp)), touchpoint) == "timestamp_malformed"
    assert why(make_request(headers=replaced(signed(touchpoint), place)), touchpoint) == "timestamp_missing"
    assert why(make_request(headers=replaced(signed(touchpoint), place, b"1", b"1")), touchpoint) == "signature_ambiguous"


@pytest.mark.parametrize("stamp", [stamp for stamp in STAMPS if stamp == stamp.strip()])
def test_stripe_refuses_a_malformed_timestamp_even_when_signed(stamp: bytes) -> None:
    """The header's own timestamp is read as strictly."""
    digest = hmac.new(WHSEC.encode(), stamp + b".{}", "sha256").hexdigest().encode()
    headers = ((b"stripe-signature", b"t=" + stamp + b",v1=" + digest),)

    assert why(make_request(headers=headers), make_touchpoint("stripe", WHSEC)) == "timestamp_malformed"


def test_stripe_header_with_two_timestamps_or_none_is_refused() -> None:
    """Which of them was signed cannot be told."""
    touchpoint = make_touchpoint("stripe", WHSEC)
    right = value_of(signed(touchpoint), "stripe-signature")

    assert why(make_request(headers=((b"stripe-signature", right + b",t=1"),)), touchpoint) == "signature_ambiguous"
    assert why(make_request(headers=((b"stripe-signature", right.partition(b",")[2]),)), touchpoint) == "timestamp_missing"


def test_other_schemes_and_versions_beside_the_right_one_are_ignored() -> None:
    """Stripe's v0 and Standard Webhooks' v1a stand beside v1 while a sender changes over; a list is bounded."""
    stripe_touchpoint, svix_touchpoint = make_touchpoint("stripe", WHSEC), make_touchpoint("svix", WHSEC)
    header = value_of(signed(stripe_touchpoint), "stripe-signature")
    several = header.replace(b",v1=", b",v1=" + b"0" * 64 + b",v0=abc,v1=")
    listed = b"v1a,AAAA v1,%s %s v2,x" % (b"A" * 43 + b"=", value_of(signed(svix_touchpoint), "svix-signature"))
    endless = b" ".join([b"v1," + b"A" * 43 + b"="] * 100)

    assert why(make_request(headers=((b"stripe-signature", several),)), stripe_touchpoint) == ""
    assert why(make_request(headers=replaced(signed(svix_touchpoint), "svix-signature", listed)), svix_touchpoint) == ""
    assert (
        why(make_request(headers=replaced(signed(svix_touchpoint), "svix-signature", endless)), svix_touchpoint)
        == "signature_malformed"
    )
    assert (
        why(make_request(headers=((b"stripe-signature", header.replace(b"v1=", b"v0=")),)), stripe_touchpoint)
        == "signature_malformed"
    )


def test_the_message_id_is_part_of_the_proof() -> None:
    """A stranger cannot change the id that dedup relies on, nor put another in front of it."""
    touchpoint = make_touchpoint("svix", WHSEC)
    headers = signed(touchpoint)

    assert why(make_request(headers=replaced(headers, "svix-id", b"msg_2")), touchpoint) == "signature_wrong"
    assert why(make_request(headers=replaced(headers, "svix-id")), touchpoint) == "signature_missing"
    later = receive(make_request(headers=(*headers, (b"webhook-id", b"other"))), touchpoint)
    assert isinstance(later, Verified)
    assert later.dedup_key == "7:msg_1"


def test_a_digest_is_the_standard_one() -> None:
    """Against the standard library written out by hand, for the plainest scheme."""
    digest = base64.b64encode(hmac.new(b"secret", b"{}", hashlib.sha256).digest())

    assert value_of(signed(make_touchpoint("shopify", "secret")), "x-shopify-hmac-sha256") == digest

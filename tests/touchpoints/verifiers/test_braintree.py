"""Pairs of public key and signature."""

import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from tests.touchpoints.factory import NOW, make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.sign import signed_body
from touchpoints.touchpoint import Touchpoint, Verification

XML = b"<notification><kind>check</kind></notification>"
PAYLOAD = base64.b64encode(XML)


def touchpoint(*secrets: str) -> Touchpoint:
    """One with these pairs of keys."""
    return make_touchpoint("generic", *secrets, verification=Verification(scheme="braintree"))


def mark(private: str, payload: bytes = PAYLOAD) -> str:
    """The signature, by the vendor's rule written out."""
    return hmac.new(hashlib.sha1(private.encode(), usedforsecurity=False).digest(), payload, "sha1").hexdigest()


def form(signature: str, payload: bytes = PAYLOAD, more: str = "") -> bytes:
    """The body."""
    return f"bt_signature={quote(signature)}&bt_payload={quote(payload)}{more}".encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form(f"public|{mark('private')}"), ""),
        (form(f"other|{mark('x')}&public|{mark('private')}"), ""),
        (form(f"nonsense&public|{mark('private').upper()}"), ""),
        (form(f"public|{mark('private')}", PAYLOAD + b"\n"), "signature_wrong"),
        (form(f"public|{mark('private', PAYLOAD + bytes([10]))}"), ""),  # a form may have lost the last line break
        (form(f"other|{mark('private')}"), "signature_wrong"),
        (form(f"public|{mark('other')}"), "signature_wrong"),
        (form(f"public|{mark('private')}", b"PGE+"), "signature_wrong"),
        (form(mark("private")), "signature_malformed"),
        (form("public|zz"), "signature_malformed"),
        (form("public|00"), "signature_malformed"),
        (form(f"public|{mark('private', b'<a>')}", b"<a>"), "signature_malformed"),
        (form("&".join([f"a|{mark('x')}"] * 31) + f"&public|{mark('private')}"), ""),
        (form("&".join([f"a|{mark('x')}"] * 32) + f"&public|{mark('private')}"), "signature_malformed"),
        (form(f"public|{mark('private')}", more="&bt_payload=PGE%2B"), "signature_ambiguous"),
        (form(f"public|{mark('private')}", more="&bt_signature=x"), "signature_ambiguous"),
        (b"bt_payload=PGE%2B", "signature_missing"),
        (b"bt_signature=x", "signature_missing"),
        (b"", "signature_missing"),
    ],
    ids=range(19),
)
def test_the_pair_of_the_own_public_key_decides(body: bytes, code: str) -> None:
    """Two payloads are one too many: another reader of the form might take the other."""
    assert why(make_request(body), touchpoint("old:older", "public:private")) == code


def test_secrets_are_pairs() -> None:
    """One that is none is passed over; with none left the reason is the secret."""
    body = form(f"public|{mark('private')}")

    assert why(make_request(body), touchpoint("public", "public:", ":private")) == "secret_unusable"
    assert why(make_request(body), touchpoint("public", "public:private")) == ""


@pytest.mark.parametrize("body", [XML, b" \n" + XML, form("stale|00"), b"bt_payload=" + quote(PAYLOAD).encode()])
def test_what_we_sign_is_proved(body: bytes) -> None:
    """From the XML as a person would write it, or from a recorded form."""
    made = signed_body(touchpoint("public:private"), body, NOW, "m")

    assert why(make_request(made), touchpoint("public:private")) == ""

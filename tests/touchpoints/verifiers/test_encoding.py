"""How a signature is written."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.verifiers.encoding import ENCODINGS


@given(st.binary(min_size=1, max_size=80))
def test_what_is_written_is_read(raw: bytes) -> None:
    """In each encoding; URL-safe Base64 without its padding too; `any` takes hexadecimal and a digest's Base64."""
    for encoding in ENCODINGS.values():
        assert encoding.decode(encoding.encode(raw)) == raw
    assert ENCODINGS["base64url"].decode(base64.urlsafe_b64encode(raw).rstrip(b"=")) == raw
    assert ENCODINGS["hex"].decode(raw.hex().upper().encode()) == raw


@given(st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32) | st.binary(min_size=64, max_size=64))
def test_any_takes_a_digest_in_hexadecimal_or_base64(digest: bytes) -> None:
    """Told apart by shape, never by both."""
    assert ENCODINGS["any"].decode(digest.hex().encode()) == digest
    assert ENCODINGS["any"].decode(base64.b64encode(digest)) == digest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hex", b"0"),
        ("hex", b"0g"),
        ("hex", b"00 11"),
        ("hex", b"00\n"),
        ("hex", b"0x00"),
        ("base64", b"AA"),
        ("base64", b"AB=="),  # the last bits mean nothing, and are not zero
        ("base64", b"AA==\n"),
        ("base64", b" AA=="),
        ("base64", b"AA==AA=="),
        ("base64", b"A-A="),
        ("base64", b"AAA=="),
        ("base64", b"\xff\xff\xff\xff"),
        ("base64url", b"A+A="),
        ("base64url", b"A/A"),
        ("base64url", b"AB"),
        ("base64url", b"A"),
        ("base64url", b"AA=A"),
        ("any", b"abc"),
        ("any", b"zz"),
    ],
)
def test_nothing_but_the_one_spelling_is_read(name: str, text: bytes) -> None:
    """A signature with another spelling would be another request to whoever compares texts."""
    assert ENCODINGS[name].decode(text) is None


@given(st.binary(max_size=60))
def test_no_text_makes_decoding_fail(text: bytes) -> None:
    """And what is read is written as it came, but for the case of hexadecimal digits and padding."""
    for name, encoding in ENCODINGS.items():
        raw = encoding.decode(text)
        if raw and name in {"hex", "base64"}:
            assert encoding.encode(raw) == (text.lower() if name == "hex" else text)

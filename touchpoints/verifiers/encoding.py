"""How a signature is written as text. Each digest has exactly one spelling, but for the case of hexadecimal digits."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

_HEX = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """One way of writing bytes; `decode` gives None for what is no such text."""

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes | None]


def from_hex(text: bytes) -> bytes | None:
    """The bytes of hexadecimal digits in either case, and of nothing else."""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return None


def from_base64(text: bytes) -> bytes | None:
    """The bytes of padded Base64 in its one spelling: bits that mean nothing are zero."""
    try:
        found = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return found if binascii.b2a_base64(found, newline=False) == text else None


def from_base64url(text: bytes) -> bytes | None:
    """The bytes of URL-safe Base64, with its padding or without."""
    if b"+" in text or b"/" in text:
        return None
    padding = b"" if text.endswith(b"=") else b"=" * (-len(text) % 4)
    return from_base64(text.translate(_TO_STANDARD) + padding)


def _from_any(text: bytes) -> bytes | None:
    # No digest's Base64 is hexadecimal too: that of 20, 32 or 64 bytes ends in "=".
    return from_hex(text) if _HEX.fullmatch(text) else from_base64(text)


ENCODINGS: dict[str, Encoding] = {
    "hex": Encoding(encode=binascii.hexlify, decode=from_hex),
    "base64": Encoding(encode=base64.b64encode, decode=from_base64),
    "base64url": Encoding(encode=base64.urlsafe_b64encode, decode=from_base64url),
    "any": Encoding(encode=binascii.hexlify, decode=_from_any),
}

"""HMACs as senders compute them, without any code of ours."""

import base64
import hashlib
import hmac

from touchpoints.moment import SECOND, Micros

RIGHT, WRONG = "geheim ☃ s3cret", "geheim ☃ s3creu"


def in_base64(text: str, key: str | bytes = RIGHT, algorithm: str = "sha256") -> str:
    """The HMAC of a text, in Base64."""
    return base64.b64encode(_digest(text, key, algorithm)).decode()


def in_hex(text: str, key: str | bytes = RIGHT, algorithm: str = "sha256") -> str:
    """The HMAC of a text, in hexadecimal."""
    return _digest(text, key, algorithm).hex()


def sha256(text: str) -> str:
    """The plain hash of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def seconds(now: Micros) -> str:
    """A moment as senders write it."""
    return str(now // SECOND)


def _digest(text: str, key: str | bytes, algorithm: str) -> bytes:
    return hmac.digest(key.encode() if isinstance(key, str) else key, text.encode(), algorithm)

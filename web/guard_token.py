"""Bearer tokens: how one is read from a request, and how it is compared without ever being kept."""

import hashlib
import hmac
from collections.abc import Iterable

_LONGEST = 512


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The token of the one `Authorization: Bearer` header, or None."""
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1 or len(values[0]) > _LONGEST:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def carries_token(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request tries to prove itself by `Authorization` at all."""
    return any(name == b"authorization" for name, _ in headers)


def token_digest(token: str) -> bytes:
    """How a token is kept and compared. Tokens are long and random, so a plain SHA-256 is not worth guessing at."""
    return hashlib.sha256(token.encode()).digest()


def is_machine(digest: bytes, machine: bytes) -> bool:
    """Whether a digest is that of this start's token, in constant time."""
    return hmac.compare_digest(digest, machine)

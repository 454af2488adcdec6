"""Which received headers go on to a destination."""

import re
from functools import lru_cache

from touchpoints.event import Headers

_NOT_PASSED = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_OURS = (b"x-forwarded-", b"hookport-")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_BREAKS = bytes.maketrans(b"\r\n\0", b"   ")


def passed_on(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The received headers without those of the connection, the sender's secrets and ours; duplicates and order stay."""
    passed = [(name, one_line(value)) for name, value in headers if _is_passed(name)]
    named = {part.strip().lower() for name, value in headers if name.lower() == b"connection" for part in value.split(b",")}
    return [header for header in passed if header[0].lower() not in named] if named else passed


@lru_cache(maxsize=256)
def _is_passed(name: bytes) -> bool:
    low = name.lower()
    return low not in _NOT_PASSED and not low.startswith(_OURS) and _TOKEN.fullmatch(name) is not None


def one_line(value: bytes) -> bytes:
    """A header value that cannot begin another header: line breaks and NUL become spaces."""
    return value.translate(_LINE_BREAKS)

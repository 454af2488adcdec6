"""Atlassian's query string hash: the method, path and query of a request as one SHA-256 (developer.atlassian.com: QSH)."""

import hashlib
from collections import defaultdict
from urllib.parse import quote, unquote_to_bytes, urlsplit

from touchpoints.request import Request

_TOKEN = b"jwt"  # the parameter that may carry the token itself
_MOST_PARAMETERS = 1000


def qsh(request: Request) -> str:
    """The hash in hexadecimal, over the URL that the sender was given; empty for more than 1000 parameters."""
    parts = urlsplit(request.url)
    if parts.query.count("&") >= _MOST_PARAMETERS:
        return ""
    path = parts.path.rstrip("/").replace("&", "%26") or "/"
    canonical = "&".join((request.method.upper(), path, _query(parts.query)))
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()


def _query(query: str) -> str:
    """Parameters in the order of their encoded names, the values of one name sorted and divided by commas."""
    values: dict[str, list[str]] = defaultdict(list)
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        raw = _raw(name)
        if raw and raw != _TOKEN:
            values[quote(raw, safe="~")].append(quote(_raw(value), safe="~"))
    return "&".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values))


def _raw(text: str) -> bytes:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "replace"))

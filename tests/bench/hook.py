"""The webhook that every benchmark sends: GitHub's, signed, 2 KB of JSON."""

import hashlib
import hmac
import json
from collections.abc import Mapping

SECRET = "a-secret-that-is-only-measured"
SIZE = 2048


def body(size: int = SIZE, first: Mapping[str, int] | None = None) -> bytes:
    """JSON of exactly `size` bytes; `first` stands at its beginning."""
    start = {**(first or {}), "ref": "refs/heads/main", "repository": {"id": 1296269, "full_name": "octo/hello"}, "padding": ""}
    bare = json.dumps(start, separators=(",", ":"))
    return json.dumps({**start, "padding": "x" * (size - len(bare))}, separators=(",", ":")).encode()


def signature(content: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()


def headers(content: bytes, delivery: str) -> dict[str, str]:
    """What GitHub sends beside the body."""
    return {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": signature(content),
    }

"""Endpoint URLs at the proxy and the token in them: whoever knows it may post."""

import base64
import hashlib
import re
from typing import NamedTuple

from touchpoints.pull.key import Chance

TOKEN = 32  # characters

_PATH = re.compile(rb"/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])/([a-z0-9][a-z0-9_-]{0,63})/([a-z2-7]{32})")
_SHORT_PATH = re.compile(rb"/([a-z0-9][a-z0-9_-]{0,63})/([a-z2-7]{32})")
_TOKEN = re.compile(r"[a-z2-7]{32}")
_LABEL = re.compile(rb"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PORT = re.compile(rb":[0-9]{1,5}\Z")


class EndpointPath(NamedTuple):
    """What an endpoint URL names."""

    domain: str
    touchpoint: str
    token: str


def new_token(chance: Chance) -> str:
    """160 random bits as 32 lower-case base32 characters."""
    return base64.b32encode(chance(TOKEN * 5 // 8)).decode().lower()


def is_token(token: str) -> bool:
    """Whether it can be one."""
    return _TOKEN.fullmatch(token) is not None


def token_digest(token: str) -> bytes:
    """What the proxy knows a token by: SHA-256 of its ASCII."""
    return hashlib.sha256(token.encode()).digest()


def endpoint_path(domain: str, touchpoint: str, token: str) -> str:
    """`/<domain>/<touchpoint>/<token>`."""
    return f"/{domain}/{touchpoint}/{token}"


def endpoint_url(base: str, domain: str, touchpoint: str, token: str, *, wildcard: bool) -> str:
    """The URL for the sender. `base` is the proxy's public URL; with `wildcard` the domain stands before its host."""
    base = base.rstrip("/")
    if not wildcard:
        return base + endpoint_path(domain, touchpoint, token)
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{domain}.{rest}/{touchpoint}/{token}"


def split_path(raw_path: bytes, host: bytes, *, proxy_host: bytes = b"") -> EndpointPath | None:
    """What a request's path names, or None. `raw_path` without the query, as sent; nothing is decoded or forgiven.

    `proxy_host` (lower case, no port): the proxy has wildcard DNS, and `Host: <domain>.<proxy_host>` names the domain, too.
    """
    domain = _domain(host, proxy_host) if proxy_host else None
    if domain is not None:
        short = _SHORT_PATH.fullmatch(raw_path)
        return None if short is None else EndpointPath(domain, short[1].decode(), short[2].decode())
    found = _PATH.fullmatch(raw_path)
    return None if found is None else EndpointPath(found[1].decode(), found[2].decode(), found[3].decode())


def _domain(host: bytes, proxy_host: bytes) -> str | None:
    """The domain that a Host header names before the proxy's own; None where it names none."""
    name = _PORT.sub(b"", host[:320]).lower().removesuffix(b".")
    label = name.removesuffix(b"." + proxy_host)
    return label.decode() if label != name and _LABEL.fullmatch(label) else None

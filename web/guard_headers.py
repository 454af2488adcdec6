"""The headers every answer of the local port carries, so that no browser runs, keeps or frames it."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

SAFE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


async def add_safe_headers(message: Message, _: Scope) -> None:
    """A `before_send` hook: adds each header that the handler did not set itself, to refusals as well."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in SAFE_HEADERS.items():
            headers.setdefault(name, value)

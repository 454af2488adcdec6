"""The headers every answer of the local port carries, so that no browser runs, keeps or frames what it should not."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

_EVERYWHERE = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
API_HEADERS = _EVERYWHERE | {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
PAGE_HEADERS = _EVERYWHERE | {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # Under no-referrer a browser sends `Origin: null` with its own forms, and they would be refused.
    "referrer-policy": "same-origin",
}


async def add_safe_headers(message: Message, scope: Scope) -> None:
    """A `before_send` hook: adds each header that the handler did not set itself, to refusals as well."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in (API_HEADERS if is_api(scope["path"]) else PAGE_HEADERS).items():
            headers.setdefault(name, value)


def is_api(path: str) -> bool:
    """Whether a path is spoken to by programs, and not looked at by people."""
    return path.startswith("/api/") or path == "/health"

"""The way to the sign-in, and back to where a person wanted to go: never to another site."""

from collections.abc import Iterable
from html import escape
from urllib.parse import SplitResult, quote, urlsplit

from litestar.types import Scope, Send

SIGN_IN = "/sign-in"

_LONGEST = 2000
_KEPT = "/-._~!$'()*+,;:@"  # what may stand in a path as it is; `&`, `=`, `?` and `#` would end our own parameter


def safe_next(wanted: str) -> str:
    """A path on this site with its query, or `/` for everything else: no other host, no scheme, no trick with slashes."""
    # A browser takes a backslash for a slash, and drops tabs and line ends before it looks.
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or len(wanted) > _LONGEST:
        return "/"
    if "\\" in wanted or not wanted.isprintable() or not wanted.isascii():
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or parts.path.startswith("//") else wanted


def sign_in_path(wanted: str) -> str:
    """The address of the sign-in that leads on to `wanted`."""
    onward = safe_next(wanted)
    return SIGN_IN if onward == "/" else f"{SIGN_IN}?next={quote(onward, safe=_KEPT)}"


def is_htmx(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a page's script asks for a part of a page."""
    return any(name == b"hx-request" for name, _ in headers)


def asking_page(headers: Iterable[tuple[bytes, bytes]]) -> SplitResult:
    """The address of the page whose script asks, as it says itself; empty where that is no address."""
    said = next((value for name, value in headers if name == b"hx-current-url"), b"").decode("latin-1")
    try:
        return urlsplit(said)
    except ValueError:
        return urlsplit("")


async def send_to_sign_in(scope: Scope, send: Send, *, from_elsewhere: bool) -> None:
    """Answer a request for a page with the way to the sign-in.

    A link in an e-mail arrives without the cookie, which is SameSite=Strict. It gets a page of ours that moves on by itself: to
    that second request the browser gives the cookie, and the sign-in lets pass who is signed in already.
    """
    if is_htmx(scope["headers"]):
        parts = asking_page(scope["headers"])
        target = sign_in_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        return await _answer(send, 401, (b"hx-redirect", target.encode()))
    reads = scope.get("method", "GET") in ("GET", "HEAD")
    target = sign_in_path(_asked(scope) if reads else "/")
    if not from_elsewhere:
        return await _answer(send, 303, (b"location", target.encode()))
    page = f'<!doctype html><title>Hookport</title><a href="{escape(target)}">Hookport</a>'
    refresh = (b"refresh", f"0; url={target}".encode())
    return await _answer(send, 200, refresh, (b"content-type", b"text/html; charset=utf-8"), body=page.encode())


def _asked(scope: Scope) -> str:
    raw = bytes(scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    query = scope.get("query_string", b"")
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


async def _answer(send: Send, status: int, *headers: tuple[bytes, bytes], body: bytes = b"") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})

"""The address of an HTTP destination, taken apart once when it is opened."""

import string
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode, urlsplit

import httpx

from touchpoints.touchpoint import Auth, HttpDestination

_AS_IT_IS = "".join(sorted(set(string.printable) - set(string.whitespace)))

_NO_URL = "its `url` is not an http or https URL"  # never the URL itself: it may hold a token


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where requests go."""

    url: httpx.URL = field(repr=False)  # without user and password
    target: str = field(repr=False)  # path and query; what is already encoded stays exactly as it was written
    where: str  # host:port, for people
    auth: Auth | None  # the destination's, else what stood in the URL


def address_of(destination: HttpDestination) -> Address:
    """The address of a destination. Raises ValueError for a URL that is none, or whose scheme is not http or https."""
    try:
        parts = urlsplit(destination.url)
        port = parts.port
    except ValueError:
        raise ValueError(_NO_URL) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(_NO_URL)
    host = parts.netloc.rpartition("@")[2]
    target = _quoted(parts.path) or "/"
    if query := "&".join(filter(None, (_quoted(parts.query), urlencode(_added_query(destination))))):
        target = f"{target}?{query}"
    try:
        url = httpx.URL(f"{parts.scheme}://{host}{target}")
    except httpx.InvalidURL:
        raise ValueError(_NO_URL) from None
    port = port or (443 if parts.scheme == "https" else 80)
    shown = f"[{url.host}]" if ":" in url.host else url.host
    return Address(url=url, target=target, where=f"{shown}:{port}", auth=destination.auth or _auth_in(destination.url))


def _quoted(text: str) -> str:
    return quote(text, safe=_AS_IT_IS)


def _added_query(destination: HttpDestination) -> list[tuple[str, str]]:
    auth = destination.auth
    by_query = auth is not None and auth.kind == "api_key" and auth.place == "query"
    return [*destination.query, (auth.name, auth.secret)] if auth and by_query else [*destination.query]


def _auth_in(url: str) -> Auth | None:
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return Auth(kind="basic", username=unquote(parts.username or ""), secret=unquote(parts.password or ""))

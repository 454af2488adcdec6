"""Fetching published keys from one place, by a transport that is given."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import orjson

from appliance import VERSION
from touchpoints.key_reading import MOST_BYTES, jwks_uri, read_published
from touchpoints.moment import SECOND, Micros
from touchpoints.published_key import KeyPlace, PublishedKeys, host_of

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})(?:[\s,]|$)", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
# developer.ebay.com: the client credentials grant flow.
_EBAY_TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105 - a path
_EBAY_GRANT = b"grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope"

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a place gave, and for how long it says that it may be kept; None: it does not say."""

    keys: PublishedKeys
    max_age: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    content: bytes
    max_age: Micros | None


async def fetch_keys(place: KeyPlace, transport: httpx.AsyncBaseTransport, *, now: Micros) -> Fetched:
    """The keys of a place. Raises httpx.TransportError and ValueError; redirects are not followed."""
    match place.kind:
        case "openid":
            discovery = await _get(transport, place.url)
            answer = await _get(transport, jwks_uri(discovery.content, place))
        case "ebay":
            bearer = await _ebay_token(transport, place)
            answer = await _get(transport, place.url, [(b"Authorization", b"Bearer " + bearer)])
        case _:
            answer = await _get(transport, place.url)
    return Fetched(keys=read_published(place, answer.content, now), max_age=answer.max_age)


async def _ebay_token(transport: httpx.AsyncBaseTransport, place: KeyPlace) -> bytes:
    basic = base64.b64encode(place.credential.encode())
    answer = await _ask(
        transport,
        "POST",
        f"https://{host_of(place.url)}{_EBAY_TOKEN_PATH}",
        [(b"Authorization", b"Basic " + basic), (b"Content-Type", b"application/x-www-form-urlencoded")],
        _EBAY_GRANT,
    )
    found = orjson.loads(answer.content)
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise ValueError("no access token")
    return token.encode()


async def _get(transport: httpx.AsyncBaseTransport, url: str, headers: Headers = ()) -> _Answer:
    return await _ask(transport, "GET", url, headers, b"")


async def _ask(transport: httpx.AsyncBaseTransport, method: str, url: str, headers: Headers, content: bytes) -> _Answer:
    host = host_of(url)
    if host is None:
        raise ValueError("no plain https address")
    sent = [
        (b"Host", host.encode()),
        (b"User-Agent", f"Hookport/{VERSION}".encode()),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
        *headers,
        *([(b"Content-Length", b"%d" % len(content))] if content else []),
    ]
    response = await transport.handle_async_request(httpx.Request(method, url, headers=sent, content=content))
    try:
        if response.status_code != 200:
            raise ValueError(f"it answered {response.status_code}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise ValueError("it answered in another encoding than was asked for")
        return _Answer(content=await _bounded(response), max_age=_max_age(response.headers.get("cache-control", "")))
    finally:
        await response.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MOST_BYTES:
            raise ValueError(f"it answered more than {MOST_BYTES} bytes")
    return bytes(content)


def _max_age(cache_control: str) -> Micros | None:
    found = _MAX_AGE.search(cache_control)
    return int(found[1]) * SECOND if found else None

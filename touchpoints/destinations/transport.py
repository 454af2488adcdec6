"""The HTTP transport of one destination: httpx's interface over aiohttp, a pool of its own, nothing added or merged.

The stock `httpx_aiohttp` transport adds headers, re-encodes them, shares cookies, knows no proxy environment and calls a
dropped connection a connect timeout.
"""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import aiohttp
import httpx
from aiohttp import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from aiohttp.hdrs import PROXY_AUTHORIZATION
from aiohttp.http import StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.payload import BytesPayload
from yarl import URL

from touchpoints.destinations.errors import NotConnected
from touchpoints.destinations.outbound_proxy import proxy_for
from touchpoints.destinations.trust import trust
from touchpoints.handles import handle_lacks, no_handle_left
from touchpoints.refused_address import is_refused
from touchpoints.touchpoint import HttpDestination

IDLE_SECONDS = 4  # many servers close an idle connection after 5 s; a request that crosses that close is lost
ANSWER_HEADERS = 65536  # the longest line of an answer's head
ONE_WRITE = 65536
_FIRST_WINDOWS_CODE = 10000
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)  # the sender's deadline covers the whole attempt


def open_transport(destination: HttpDestination, environment: Mapping[str, str]) -> httpx.AsyncBaseTransport:
    """A transport with a pool of its own. It opens nothing before the first request, whose event loop it then belongs to."""
    return DestinationTransport(destination, proxy_for(destination.proxy, destination.url, environment))


class DestinationTransport(httpx.AsyncBaseTransport):
    """Requests leave byte for byte as they are; `extensions["target"]` is the exact request target. Redirects are answers.

    Raises httpx.TransportError, of which NotConnected, ConnectError, ProxyError, ReadError and RemoteProtocolError are used.
    It has no timeouts of its own.
    """

    def __init__(
        self, destination: HttpDestination, proxy: str | None, *, refuses: Callable[[str], bool] | None = None
    ) -> None:
        """`refuses` tells which addresses are never connected to, instead of those that `is_refused` names."""
        self._destination = destination
        self._proxy = proxy
        self._refuses = refuses or partial(is_refused, allowed=destination.link_local)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose content is bytes; the answer's stream is read by the caller, who closes it."""
        if self._proxy and is_refused(request.url.host, self._destination.link_local):
            raise NotConnected("address_refused")
        session = self._session or self._open_session()
        try:
            answer = await session.request(
                request.method,
                _wire_url(str(request.url), request.extensions.get("target")),
                data=_Wire(request),
                allow_redirects=False,
                proxy=self._proxy,
                timeout=_NO_TIMEOUT,
            )
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise _as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_AnswerStream(answer), request=request)

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._destination.concurrency,
            ssl=self._trusted(),
            keepalive_timeout=IDLE_SECONDS,
            socket_factory=partial(_socket_for, self._refuses),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            request_class=ExactRequest,
            max_line_size=ANSWER_HEADERS,
            max_field_size=ANSWER_HEADERS,
            timeout=_NO_TIMEOUT,
        )
        return self._session

    def _trusted(self) -> ssl.SSLContext | bool:
        secure = self._destination.url.startswith("https:") or (self._proxy or "").startswith("https:")
        if not secure:
            return True
        try:
            return trust(self._destination.ca)
        except OSError as error:
            code = "no_handles" if no_handle_left(error) else "ca_unreadable"
            raise NotConnected(code, _reason(error)) from error

    async def aclose(self) -> None:
        """Close all connections; the next request would open new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class ExactRequest(ClientRequest):
    """A request written as the bytes it came as. aiohttp writes header text as UTF-8, which would change any other byte.

    What aiohttp makes of headers is left out: its own `headers` hold only what its connector puts there for a proxy.
    """

    _body: "_Wire"

    def update_headers(self, headers: Any) -> None:  # noqa: ARG002 - aiohttp's signature
        """Only the Host, which a proxy is told."""
        super().update_headers(None)

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        """Nothing is added."""

    def update_transfer_encoding(self) -> None:
        """The head says it already."""

    def update_body_from_data(self, body: Any, _stacklevel: int = 3) -> None:
        """Keep what goes over the wire."""
        self._body = body

    async def send(self, conn: Connection) -> ClientResponse:
        """Write head and body in one go; the answer is read while the system still takes them."""
        protocol = conn.protocol
        if protocol is None or protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        head, body = self._head(), self._body.content
        if len(body) <= ONE_WRITE:
            protocol.transport.write(head + body)
        else:
            protocol.transport.write(head)
            protocol.transport.write(body)
        return self.response_class(
            self.method,
            self.original_url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=self.request_info,
            traces=[],
            loop=self.loop,
            session=self.session,
            stream_writer=StreamWriter(protocol, self.loop),
        )

    def _head(self) -> bytes:
        target = str(self.url) if self.proxy and not self.is_ssl() else self.url.raw_path_qs
        lines = [f"{self.method} {target} HTTP/1.1".encode("latin-1"), *map(b": ".join, self._body.headers_sent)]
        if self.proxy and PROXY_AUTHORIZATION in self.headers:
            lines.append(f"{PROXY_AUTHORIZATION}: {self.headers[PROXY_AUTHORIZATION]}".encode("latin-1"))
        return b"\r\n".join([*lines, b"", b""])


class _Wire(BytesPayload):
    """A request's headers and body, on their way through aiohttp, which gives them to `ExactRequest` untouched."""

    def __init__(self, request: httpx.Request) -> None:
        self.headers_sent = request.headers.raw
        self.content = request.read()


class _AnswerStream(httpx.AsyncByteStream):
    """An answer's bytes as they come, not decompressed."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise _as_httpx(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Give the connection back, or drop it when the answer was not read to its end."""
        self._answer.close()


@lru_cache(maxsize=256)
def _wire_url(url: str, target: str | None) -> URL:
    if target is None:
        return URL(url, encoded=True)
    scheme, _, rest = url.partition("://")
    host = rest.partition("?")[0].partition("/")[0]
    return URL(f"{scheme}://{host}{target}", encoded=True)


def _socket_for(refuses: Callable[[str], bool], info: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for an address that a name came to, or that stood in the URL. It is the very one that is connected to then, so
    a name that leads elsewhere the next time it is asked for gains nothing.
    """
    family, kind, protocol, _, address = info
    if refuses(str(address[0])):
        raise _AddressRefused
    return socket.socket(family, kind, protocol)


class _AddressRefused(OSError):
    """An address that is never called: a cloud machine's credentials, for one, are one POST away."""


def _as_httpx(error: Exception) -> httpx.TransportError:
    # What looks a name up does not always say why.
    if no_handle_left(error) or (isinstance(error, aiohttp.ClientConnectorDNSError) and handle_lacks()):
        return NotConnected("no_handles")
    match error:
        case aiohttp.ClientProxyConnectionError():
            return httpx.ProxyError(_reason(error.os_error))
        case aiohttp.ClientHttpProxyError():
            return httpx.ProxyError(f"it answered {error.status}")
        case aiohttp.ClientSSLError():
            return NotConnected("tls_error", _reason(error.__cause__ or error))
        case aiohttp.ClientConnectorError():
            if isinstance(error.os_error, _AddressRefused):
                return NotConnected("address_refused")
            return httpx.ConnectError(_reason(error.os_error))
        case aiohttp.InvalidURL():
            return httpx.ConnectError("not a URL")
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return httpx.RemoteProtocolError("not HTTP")
        case _:
            return httpx.ReadError("closed")


def _reason(error: BaseException) -> str:
    """A few words without addresses: what the system or the TLS library calls it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "the TLS handshake failed").replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno and 0 < error.errno < _FIRST_WINDOWS_CODE:
        return os.strerror(error.errno)  # asyncio's own text repeats the address instead
    return getattr(error, "strerror", None) or type(error).__name__

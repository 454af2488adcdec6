"""Deadlines and ceilings of a connection, and the close that lets a sender see its answer."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How many seconds a sender has. A connection is looked at every `sweep` seconds, so a deadline may be that much late."""

    head: float = 10.0  # from connecting, or from the first byte of a further request
    idle: float = 60.0  # between two requests
    grace: float = 10.0  # from the head until the body must keep to `rate`
    rate: int = 1024  # bytes a second, on average
    body: float = 120.0  # the whole body
    write: float = 60.0  # without taking any of what is written to it
    linger: float = 5.0  # after an early answer
    parting: float = 1.0  # an idle connection, when its listener goes
    handshake: float = 10.0  # TLS
    sweep: float = 1.0


class Phase(Enum):
    """What the parser is in the middle of."""

    REST = 0  # between requests
    HEAD = 1
    BODY = 2
    LINGER = 3  # nothing is parsed any more


MAX_HEADERS = 200
MAX_HEAD = 64 * 1024
MAX_TARGET = 8 * 1024
MAX_PIPELINE = 16  # requests read ahead on one connection
FRAMING = 64 * 1024  # chunk sizes, extensions and trailers may take so much, and beyond it 4 bytes for each byte of body
GATHERED = 64 * 1024  # bytes of a body that comes in pieces before the app is given them
SWALLOW = 64 * 1024 * 1024  # bytes read and dropped after an early answer

ACCEPT = "hookport.accept"  # the ASGI extension {"accept": () -> bool}: an empty 200 in one write; where False, it must be sent
CLIENT = "hookport.client"  # the ASGI extension {"certificate": SHA-256 in hex} of a TLS client that proved one
HANGS_UP = "hookport.hangs_up"  # the ASGI extension {"tell": (() -> None) -> None}: called when the caller is gone
ACCEPTED = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def canned(status: int) -> bytes:
    """A whole answer without body that ends the connection."""
    retry = "retry-after: 5\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{retry}content-length: 0\r\nconnection: close\r\n\r\n".encode()


def head_fault(method: bytes, version: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> int | None:
    """The status a head is refused with, or None: what two servers could understand in two ways is refused.

    The parser itself refuses the rest: two lengths, a length beside a transfer encoding, bad chunk sizes, folded lines,
    bare CR or LF, NUL, space before the colon.
    """
    if version not in {"1.1", "1.0"}:
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    if method == b"CONNECT":
        return HTTPStatus.METHOD_NOT_ALLOWED
    if len(target) > MAX_TARGET:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if len(headers) > MAX_HEADERS:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    hosts = size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and (version == "1.0" or value.strip().lower() != b"chunked"):
            return HTTPStatus.BAD_REQUEST
    if size > MAX_HEAD:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    locates = target.startswith((b"/", b"http://", b"https://"))
    return None if locates and hosts <= 1 and (hosts or version == "1.0") else HTTPStatus.BAD_REQUEST

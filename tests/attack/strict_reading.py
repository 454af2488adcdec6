"""HTTP/1.1 as RFC 9112 has it and no further: what a reader who forgives nothing finds in a sender's bytes.

It is written apart from the listener and its parser, so that the two can be held against each other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FIRST = re.compile(rb"([A-Z-]+) +([!-~]+) +HTTP/(1\.[01])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_PLACE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Whole:
    """A request that came whole, and says in one way only where it ends."""

    method: bytes
    path: bytes  # as it was written, without the query
    headers: tuple[tuple[bytes, bytes], ...]  # names in lower case
    body: bytes


def whole_requests(data: bytes) -> Iterator[Whole]:
    """One after the other, up to the first that is not whole, is malformed, or after which the connection ends."""
    goes_on = True
    while goes_on:
        head, end, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        line, headers = _FIRST.fullmatch(first), _fields(lines)
        if not end or line is None or headers is None:
            return
        method, target, version = line.groups()
        read = _body(headers, version, rest)
        if read is None or not _names_its_host(headers, version):
            return
        body, data = read
        yield Whole(method, _PLACE.sub(b"", target, count=1).partition(b"?")[0], headers, body)
        wishes = {wish.strip().lower() for value in _values(headers, b"connection") for wish in value.split(b",")}
        goes_on = b"close" not in wishes and (version == b"1.1" or b"keep-alive" in wishes)


def _fields(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...] | None:
    found = [_FIELD.fullmatch(line) for line in lines]
    fields = tuple((one[1].lower(), one[2]) for one in found if one)
    return fields if len(fields) == len(found) else None


def _values(headers: tuple[tuple[bytes, bytes], ...], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _names_its_host(headers: tuple[tuple[bytes, bytes], ...], version: bytes) -> bool:
    hosts = len(_values(headers, b"host"))
    return hosts == 1 or (not hosts and version == b"1.0")


def _body(headers: tuple[tuple[bytes, bytes], ...], version: bytes, rest: bytes) -> tuple[bytes, bytes] | None:
    """The body, and what comes after it."""
    lengths, codings = _values(headers, b"content-length"), _values(headers, b"transfer-encoding")
    if codings:
        right = len(codings) == 1 and codings[0].lower() == b"chunked" and not lengths and version == b"1.1"
        return _chunks(rest) if right else None
    if not lengths:
        return b"", rest
    if len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,18}", lengths[0]) or int(lengths[0]) > len(rest):
        return None
    return rest[: int(lengths[0])], rest[int(lengths[0]) :]


def _chunks(rest: bytes) -> tuple[bytes, bytes] | None:
    parts: list[bytes] = []
    while True:
        line, end, rest = rest.partition(b"\r\n")
        chunk = _CHUNK.fullmatch(line)
        if not end or chunk is None:
            return None
        size = int(chunk[1], 16)
        if not size:
            break
        if rest[size : size + 2] != b"\r\n":
            return None
        parts.append(rest[:size])
        rest = rest[size + 2 :]
    if rest.startswith(b"\r\n"):
        return b"".join(parts), rest[2:]
    trailers, end, rest = rest.partition(b"\r\n\r\n")
    return (b"".join(parts), rest) if end and _fields(trailers.split(b"\r\n")) is not None else None

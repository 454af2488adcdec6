"""A received request as the bytes that are sealed: exactly what was sent, and what the proxy knew of it.

Layout, all numbers big-endian: version u8 · received_at u64 · lengths of event id, touchpoint, method, target and remote, u32
each · number of header fields u32 · length of the body u64 · for each header the lengths of its name and value, u32 each ·
then all those bytes in that order. Nothing may follow.
"""

import re
import struct
from dataclasses import dataclass, field
from itertools import chain

from touchpoints.event import Headers
from touchpoints.moment import Micros
from touchpoints.name import is_valid_name
from touchpoints.pull.malformed import PullMalformed

VERSION = 1
MOST_HEADERS = 32 * 1024
LARGEST_HEADERS = 1024 * 1024  # bytes of all names and values

_FIXED = struct.Struct(">BQIIIIIIQ")
_TEXTS = ("event id", "touchpoint", "method", "target", "remote address")
_LONGEST = (64, 64, 64, 64 * 1024, 256)  # of those texts
_EVENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# No listener takes these in a request's head: a proxy that puts them in wants to add lines of its own further on.
_BREAKS = re.compile(rb"[\x00\r\n]")
_LATEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One request as the proxy received it."""

    event_id: str
    touchpoint: str  # the name that the proxy found it under
    method: str
    target: str  # raw path and query as sent; its characters are bytes (Latin-1)
    headers: Headers
    remote: str
    received_at: Micros
    body: bytes = field(repr=False)


def pack(packed: Packed) -> bytes:
    """The bytes. Raises PullMalformed for what no listener takes."""
    try:
        texts = [
            packed.event_id.encode("ascii"),
            packed.touchpoint.encode("ascii"),
            packed.method.encode("ascii"),
            packed.target.encode("latin-1"),
            packed.remote.encode("ascii"),
        ]
    except UnicodeEncodeError as error:
        raise PullMalformed("a text of the request holds characters that no request line has") from error
    fields = list(chain.from_iterable(packed.headers))
    count = len(packed.headers)
    if count > MOST_HEADERS or not 0 <= packed.received_at <= _LATEST:
        raise PullMalformed("the request has too many headers, or an impossible time of receipt")
    lengths = [len(text) for text in texts]
    fixed = _FIXED.pack(VERSION, packed.received_at, *lengths, count, len(packed.body))
    return b"".join((fixed, struct.pack(f">{2 * count}I", *map(len, fields)), *texts, *fields, packed.body))


def unpack(data: bytes) -> Packed:
    """The request, exactly. Raises PullMalformed."""
    if len(data) < _FIXED.size:
        raise PullMalformed("the sealed request is cut short")
    version, received_at, *lengths, count, body_length = _FIXED.unpack_from(data)
    if version != VERSION:
        raise PullMalformed("the sealed request is of an unknown version")
    if any(length > longest for length, longest in zip(lengths, _LONGEST, strict=True)) or count > MOST_HEADERS:
        raise PullMalformed("the sealed request has a head that is too large")
    start = _FIXED.size + 8 * count
    if len(data) < start:
        raise PullMalformed("the sealed request is cut short")
    field_lengths = struct.unpack_from(f">{2 * count}I", data, _FIXED.size)
    in_headers = sum(field_lengths)
    if in_headers > LARGEST_HEADERS or start + sum(lengths) + in_headers + body_length != len(data):
        raise PullMalformed("the sealed request's lengths do not add up")
    pieces = []
    for length in (*lengths, *field_lengths):
        pieces.append(data[start : start + length])
        start += length
    texts = _texts(pieces[:5])
    fields = pieces[5:]
    if _BREAKS.search(b"".join(fields)):
        raise PullMalformed("the sealed request has a header with a line's end in it")
    return Packed(
        event_id=texts[0],
        touchpoint=texts[1],
        method=texts[2],
        target=texts[3],
        headers=tuple(zip(fields[::2], fields[1::2], strict=True)),
        remote=texts[4],
        received_at=_moment(received_at),
        body=data[start:],
    )


def _texts(pieces: list[bytes]) -> list[str]:
    texts = [piece.decode("latin-1") for piece in pieces]
    fits = (
        _EVENT_ID.fullmatch(texts[0]),
        is_valid_name(texts[1]),
        _METHOD.fullmatch(texts[2]),
        not _BREAKS.search(pieces[3]),
        texts[4].isascii() and (not texts[4] or texts[4].isprintable()),
    )
    for name, fit in zip(_TEXTS, fits, strict=True):
        if not fit:
            raise PullMalformed(f"the sealed request's {name} cannot be read")
    return texts


def _moment(received_at: int) -> Micros:
    if received_at > _LATEST:
        raise PullMalformed("the sealed request has an impossible time of receipt")
    return received_at

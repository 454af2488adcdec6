"""Selectors name a place in a request: `header:NAME`, `json:/pointer`, `form:FIELD`, `query:NAME`, `body`, `const:TEXT`.

Alternatives are divided by `|`; the first that is there counts. `form:FIELD>/pointer` reads JSON inside a form field
(Slack's and GitHub's `payload`). Reading is lazy, happens at most once, and never fails: what cannot be read is not there.
"""

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from touchpoints.request import Request

LONGEST_VALUE = 512  # characters of an extracted value

_BOM = b"\xef\xbb\xbf"
_MOST_FIELDS = 1000
_EXACT_FLOAT = 2.0**53
_ABSENT: Any = object()
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_POINTER = re.compile(r"(/([^~]|~[01])*)?")


class Reading:
    """A lazily parsed view of one request."""

    __slots__ = ("_document", "_form", "_headers", "_query", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._headers = dict(request.headers)  # of several with one name the last
        self._document: Any = None
        self._form: Sequence[tuple[bytes, bytes]] | None = None
        self._query: Sequence[tuple[bytes, bytes]] | None = None

    def headers(self, name: bytes) -> list[bytes]:
        """Every value of a header, by its lower-case name, in the order sent."""
        if name not in self._headers:
            return []
        if len(self._headers) == len(self.request.headers):  # as good as always; no header is there twice
            return [self._headers[name]]
        return [value for key, value in self.request.headers if key == name]

    def document(self) -> Any:
        """The body as JSON, or an object that is in no document when it is none; of duplicate keys the last counts."""
        if self._document is None:
            self._document = (_parse_json(self.request.body),)
        return self._document[0]

    def field(self, name: bytes) -> list[bytes]:
        """Every value of a form field; none when the body is JSON. The content type isn't asked: no signature covers it."""
        if self._form is None:
            self._form = _parse_fields(self.request.body) if self.document() is _ABSENT else ()
        return [value for key, value in self._form if key == name]

    def parameter(self, name: bytes) -> list[bytes]:
        """Every value of a parameter of the target."""
        if self._query is None:
            self._query = _parse_fields(self.request.target.partition("?")[2].encode("utf-8", "replace"))
        return [value for key, value in self._query if key == name]


def _parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(memoryview(body)[3:] if body.startswith(_BOM) else body)
    except orjson.JSONDecodeError:
        return _ABSENT


def _parse_fields(encoded: bytes) -> Sequence[tuple[bytes, bytes]]:
    # Not urllib's parse_qsl: given bytes, it fails on every escape beyond ASCII.
    if encoded.count(b"&") >= _MOST_FIELDS:
        return ()
    pairs = [pair.replace(b"+", b" ").partition(b"=") for pair in encoded.split(b"&") if pair]
    return [(unquote_to_bytes(key), unquote_to_bytes(value)) for key, _, value in pairs]


def _step(node: Any, token: str) -> Any:
    if isinstance(node, dict):
        return node.get(token, _ABSENT)
    if isinstance(node, list) and token.isascii() and token.isdigit() and len(token) < 10 and int(token) < len(node):
        return node[int(token)]
    return _ABSENT


def _scalar(value: Any) -> str | None:
    """A JSON scalar as text; None for anything that has no exact text, such as an integer beyond 64 bits."""
    if isinstance(value, str):
        return None if "\0" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value) and abs(value) < _EXACT_FLOAT:
        return repr(value)
    return None


def _follow(document: Any, tokens: Sequence[str]) -> list[bytes]:
    for token in tokens:
        document = _step(document, token)
        if document is _ABSENT:
            return []
    text = _scalar(document)
    return [] if text is None else [text.encode("utf-8", "replace")]


def _tokens(pointer: str) -> tuple[str, ...]:
    if _POINTER.fullmatch(pointer) is None:
        raise ValueError(f'"{pointer[:40]}" is no JSON pointer; it begins with / as in json:/order/id')
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


Reader = Callable[[Reading], list[bytes]]


def _header_reader(argument: str) -> Reader:
    if _HEADER_NAME.fullmatch(argument) is None:
        raise ValueError(f'"{argument[:40]}" is no header name')
    name = argument.lower().encode()
    return lambda reading: reading.headers(name)


def _json_reader(argument: str) -> Reader:
    tokens = _tokens(argument)
    return lambda reading: _follow(reading.document(), tokens)


def _form_reader(argument: str) -> Reader:
    field, inner, pointer = argument.partition(">")
    name = _named(field).encode()
    if not inner:
        return lambda reading: _clean(reading.field(name))
    tokens = _tokens(pointer)
    return lambda reading: [text for value in reading.field(name) for text in _follow(_parse_json(value), tokens)]


def _query_reader(argument: str) -> Reader:
    name = _named(argument).encode()
    return lambda reading: _clean(reading.parameter(name))


def _body_reader(argument: str) -> Reader:
    if argument:
        raise ValueError('"body" takes no argument')
    return lambda reading: [b"sha256:" + hashlib.sha256(reading.request.body).hexdigest().encode()]


def _const_reader(argument: str) -> Reader:
    values = [_named(argument).encode()]
    return lambda _reading: values


def _named(argument: str) -> str:
    if not argument:
        raise ValueError("a selector needs something after the colon")
    return argument


def _clean(values: list[bytes]) -> list[bytes]:
    return [value for value in values if b"\0" not in value]


_READERS: dict[str, Callable[[str], Reader]] = {
    "header": _header_reader,
    "json": _json_reader,
    "form": _form_reader,
    "query": _query_reader,
    "body": _body_reader,
    "const": _const_reader,
}


@dataclass(frozen=True, slots=True)
class Place:
    """One alternative of a selector."""

    kind: str
    argument: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Selector:
    """A compiled selector."""

    places: tuple[Place, ...]

    def values(self, reading: Reading) -> list[bytes]:
        """Every value at the first alternative that is there, duplicates too: for proving, where two are one too many."""
        for place in self.places:
            if found := place.read(reading):
                return found
        return []

    def text(self, reading: Reading) -> str:
        """The first value that isn't empty, whole; empty when there is none. Header bytes are read as Latin-1, one to one."""
        for place in self.places:
            found = place.read(reading)
            if found and found[0]:
                return found[0].decode("latin-1" if place.kind == "header" else "utf-8", "replace")
        return ""


@lru_cache(maxsize=4096)
def selector(text: str) -> Selector:
    """The compiled form of a selector. Raises ValueError in words when it cannot be read."""
    return Selector(tuple(_place(alternative.strip()) for alternative in text.split("|")))


def _place(text: str) -> Place:
    kind, _, argument = text.partition(":")
    if kind not in _READERS:
        raise ValueError(f'"{text[:40]}" does not begin with {", ".join(_READERS)}')
    return Place(kind, argument, _READERS[kind](argument))


def bounded(value: str) -> str:
    """A value cut to the longest that is kept."""
    return value[:LONGEST_VALUE]

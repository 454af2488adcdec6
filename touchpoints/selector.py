"""Selectors name a place in a request: `header:NAME`, `json:/pointer`, `form:FIELD`, `query:NAME`, `xml:/a/b@attribute`,
`jwt:/claim`, `body`, `const:TEXT`.

Alternatives are divided by `|`; the first that is there counts. Places joined by `+` count when all are there, with colons
between them: `json:/source+json:/id`. What stands inside a text is read by steps: `form:payload>/type` (JSON in a form field),
`form:bt_payload>base64>xml:/notification/kind`, `jwt:/data>/eventType`. A `*` in a pointer is every element of an array.
Reading is lazy and never fails: what cannot be read is not there.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from touchpoints.pointer import ABSENT, follow, parse_json, tokens_of
from touchpoints.request import Request
from touchpoints.verifiers.encoding import from_base64url
from touchpoints.xml_reading import read_xml

LONGEST_VALUE = 512  # characters of an extracted value

_MOST_FIELDS = 1000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_XML_PATH = re.compile(r"((?:/[^/@<>\s]+)+)(?:@([^/@<>\s]+))?")
_JOIN = re.compile(r"\+(?=(?:header|json|form|query|xml|jwt|const):)")
_STEP = re.compile(r">(?=/|base64(?:>|$)|xml:)")


class Reading:
    """A lazily parsed view of one request."""

    __slots__ = ("_claims", "_document", "_form", "_headers", "_query", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._headers = dict(request.headers)  # of several with one name the last
        self._document: Any = None
        self._claims: Any = None
        self._form: Sequence[tuple[bytes, bytes]] | None = None
        self._query: Sequence[tuple[bytes, bytes]] | None = None

    def headers(self, name: bytes) -> list[bytes]:
        """Every value of a header, by its lower-case name, in the order sent."""
        if name not in self._headers:
            return []
        if len(self._headers) == len(self.request.headers):  # as good as always; no header is there twice
            return [self._headers[name]]
        return [value for key, value in self.request.headers if key == name]

    def numbered(self, prefix: bytes) -> list[bytes]:
        """Every value of the headers whose names are a lower-case prefix and a number."""
        start = len(prefix)
        return [value for key, value in self.request.headers if key.startswith(prefix) and key[start:].isdigit()]

    def document(self) -> Any:
        """The body as JSON, or an object that is in no document when it is none; of duplicate keys the last counts."""
        if self._document is None:
            self._document = (parse_json(self.request.body),)
        return self._document[0]

    def claims(self) -> Any:
        """The claims of a body that is a compact JSON Web Signature, unproved; what is no such body has none."""
        if self._claims is None:
            self._claims = (_parse_claims(self.request.body),)
        return self._claims[0]

    def field(self, name: bytes) -> list[bytes]:
        """Every value of a form field; none when the body is JSON. The content type isn't asked: no signature covers it."""
        if self._form is None:
            self._form = (parse_fields(self.request.body) or ()) if self.document() is ABSENT else ()
        return [value for key, value in self._form if key == name]

    def parameter(self, name: bytes) -> list[bytes]:
        """Every value of a parameter of the target."""
        if self._query is None:
            self._query = parse_fields(self.request.target.partition("?")[2].encode("utf-8", "replace")) or ()
        return [value for key, value in self._query if key == name]


def parse_fields(encoded: bytes) -> list[tuple[bytes, bytes]] | None:
    """The fields of a form or query, in the order sent; None when there are more than any form has."""
    # Not urllib's parse_qsl: given bytes, it fails on every escape beyond ASCII.
    if encoded.count(b"&") >= _MOST_FIELDS:
        return None
    pairs = [pair.replace(b"+", b" ").partition(b"=") for pair in encoded.split(b"&") if pair]
    return [(unquote_to_bytes(key), unquote_to_bytes(value)) for key, _, value in pairs]


def _parse_claims(body: bytes) -> Any:
    parts = body.strip().split(b".", 3)
    claims = from_base64url(parts[1]) if len(parts) == 3 else None
    return ABSENT if claims is None else parse_json(claims)


Reader = Callable[[Reading], list[bytes]]
Step = Callable[[bytes], list[bytes]]


def _header_reader(argument: str) -> Reader:
    if _HEADER_NAME.fullmatch(argument) is None:
        raise ValueError(f'"{argument[:40]}" is no header name')
    name = argument.lower().encode()
    return lambda reading: reading.headers(name)


def _json_reader(argument: str) -> Reader:
    tokens = tokens_of(argument)
    return lambda reading: follow(reading.document(), tokens)


def _jwt_reader(argument: str) -> Reader:
    tokens = tokens_of(_named(argument))
    return lambda reading: follow(reading.claims(), tokens)


def _xml_reader(argument: str) -> Reader:
    read = _xml_step(argument)
    return lambda reading: read(reading.request.body)


def _form_reader(argument: str) -> Reader:
    name = _named(argument).encode()
    return lambda reading: _clean(reading.field(name))


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
    "xml": _xml_reader,
    "jwt": _jwt_reader,
    "body": _body_reader,
    "const": _const_reader,
}


def _step(text: str) -> Step:
    if text == "base64":
        return _from_base64
    if text.startswith("xml:"):
        return _xml_step(text[4:])
    tokens = tokens_of(text)
    return lambda value: follow(parse_json(value), tokens)


def _xml_step(argument: str) -> Step:
    found = _XML_PATH.fullmatch(argument)
    if found is None:
        raise ValueError(f'"{argument[:40]}" is no path of XML elements, as in xml:/notification/kind')
    path, attribute = found[1].split("/")[1:], found[2] or ""
    return lambda document: read_xml(document, path, attribute)


def _from_base64(value: bytes) -> list[bytes]:
    try:
        return [binascii.a2b_base64(value)]
    except ValueError:
        return []


def _through(reader: Reader, steps: Sequence[Step]) -> Reader:
    """A reader followed by steps; a text in which a step finds nothing stays there as an empty one, as with a `*`."""

    def read(reading: Reading) -> list[bytes]:
        values = reader(reading)
        for step in steps:
            values = [found for value in values for found in (step(value) or [b""])]
        return values if any(values) else []

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One alternative of a selector: a kind and its argument, or (`joined`) several places that count together."""

    kind: str
    argument: str
    read: Reader
    steps: tuple[str, ...] = ()
    joined: tuple["Place", ...] = ()

    @property
    def every(self) -> bool:
        """Whether it may rightly have several values: one for each element of an array."""
        return any("*" in tokens_of(part) for part in (self.argument, *self.steps) if part.startswith("/"))

    def text(self, reading: Reading) -> str:
        """The first value that isn't empty. Header bytes are read as Latin-1, one to one."""
        found = next((value for value in self.read(reading) if value), b"")
        return found.decode("latin-1" if self.kind == "header" and not self.steps else "utf-8", "replace")


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
        """The first value that isn't empty, whole; empty when there is none."""
        for place in self.places:
            if found := place.text(reading):
                return found
        return ""


@lru_cache(maxsize=4096)
def selector(text: str) -> Selector:
    """The compiled form of a selector. Raises ValueError in words when it cannot be read."""
    return Selector(tuple(_alternative(alternative.strip()) for alternative in text.split("|")))


def _alternative(text: str) -> Place:
    places = tuple(_place(part) for part in _JOIN.split(text))
    if len(places) == 1:
        return places[0]
    return Place(kind="join", argument=text, read=lambda reading: _joined(places, reading), joined=places)


def _joined(places: Sequence[Place], reading: Reading) -> list[bytes]:
    texts = [place.text(reading) for place in places]
    if not all(texts):
        return []
    # A colon within any but the last would let two different pairs look alike.
    inner = (text.replace("%", "%25").replace(":", "%3A") for text in texts[:-1])
    return [":".join((*inner, texts[-1])).encode("utf-8", "replace")]


def _place(text: str) -> Place:
    kind, _, rest = text.partition(":")
    if kind not in _READERS:
        raise ValueError(f'"{text[:40]}" does not begin with {", ".join(_READERS)}')
    if kind == "const":
        return Place(kind=kind, argument=rest, read=_const_reader(rest))
    argument, *steps = _STEP.split(rest)
    reader = _READERS[kind](argument)
    if steps:
        reader = _through(reader, [_step(step) for step in steps])
    return Place(kind=kind, argument=argument, read=reader, steps=tuple(steps))


def bounded(value: str) -> str:
    """A value cut to the longest that is kept."""
    return value[:LONGEST_VALUE]

"""Templates of what a sender signs, e.g. `v0:{ts}:{body}`.

Between literals stand `{body} {base64_body} {sha256hex_body} {ts} {id} {url} {url_decoded} {method} {path_query} {secret}`
and selectors such as `{json:/id}`. URL, path and query are those of the URL the sender was given, whatever a reverse proxy made
of them.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from touchpoints.selector import Reading, selector

_HOLE = re.compile(r"\{([^{}]*)\}")


class Material(NamedTuple):
    """What a template is filled from."""

    reading: Reading
    ts: bytes = b""
    id: bytes = b""
    secret: bytes = b""


Filler = Callable[[Material], bytes | None]

# The escapes HubSpot undoes before it signs a URL by its version 3, and no others:
# developers.hubspot.com, "Validating requests", its table of URL-encoded characters.
_UNDONE = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def _url_decoded(material: Material) -> bytes:
    url = _UNDONE.sub(lambda escape: chr(int(escape[0][1:], 16)), material.reading.request.url)
    return url.encode("utf-8", "replace")


def _path_query(material: Material) -> bytes:
    host_and_more = material.reading.request.url.partition("://")[2]
    start = re.search("[/?]", host_and_more)
    path = host_and_more[start.start() :] if start else ""
    return (path if path.startswith("/") else f"/{path}").encode("utf-8", "replace")


_FILLERS: dict[str, Filler] = {
    "body": lambda material: material.reading.request.body,
    "base64_body": lambda material: base64.b64encode(material.reading.request.body),
    "sha256hex_body": lambda material: hashlib.sha256(material.reading.request.body).hexdigest().encode(),
    "ts": lambda material: material.ts,
    "id": lambda material: material.id,
    "url": lambda material: material.reading.request.url.encode("utf-8", "replace"),
    "url_decoded": _url_decoded,
    "method": lambda material: material.reading.request.method.encode("utf-8", "replace"),
    "path_query": _path_query,
    "secret": lambda material: material.secret,
}


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; `holes` are the names between its braces."""

    holes: frozenset[str]
    parts: tuple[bytes | Filler, ...]

    def pieces(self, material: Material) -> list[bytes] | None:
        """What is signed, in pieces so that a large body is never copied; None when a part is missing or there twice."""
        pieces: list[bytes] = []
        for part in self.parts:
            piece = part if isinstance(part, bytes) else part(material)
            if piece is None:
                return None
            pieces.append(piece)
        return pieces


@lru_cache(maxsize=1024)
def template(text: str) -> Template:
    """The compiled form of a template. Raises ValueError in words when it cannot be read."""
    parts: list[bytes | Filler] = []
    holes = set()
    for index, part in enumerate(_HOLE.split(text)):
        if index % 2:
            holes.add(part)
            parts.append(_FILLERS[part] if part in _FILLERS else _selected(part))
        elif "{" in part or "}" in part:
            raise ValueError(f'"{text[:60]}" has a brace without its partner')
        elif part:
            parts.append(part.encode())
    return Template(frozenset(holes), tuple(parts))


def _selected(text: str) -> Filler:
    place = selector(text)

    def fill(material: Material) -> bytes | None:
        values = place.values(material.reading)
        return values[0] if len(values) == 1 else None

    return fill

"""Templates of what a sender signs, e.g. `v0:{ts}:{body}`.

Between literals stand `{body} {ts} {id} {url} {method} {path_query}` and selectors such as `{json:/id}`.
"""

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


Filler = Callable[[Material], bytes | None]

_FILLERS: dict[str, Filler] = {
    "body": lambda material: material.reading.request.body,
    "ts": lambda material: material.ts,
    "id": lambda material: material.id,
    "url": lambda material: material.reading.request.url.encode("utf-8", "replace"),
    "method": lambda material: material.reading.request.method.encode("utf-8", "replace"),
    "path_query": lambda material: material.reading.request.target.encode("utf-8", "replace"),
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

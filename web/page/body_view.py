"""A body as people read it: as text, with its structure laid out, or byte by byte. Always bounded, always plain text."""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

RAW_BYTES = 256 * 1024
PRETTY_BYTES = 1024 * 1024
HEX_BYTES = 16 * 1024
_PRETTY_CHARACTERS = 2 * 1024 * 1024
_DEEPEST = 40

WAYS = ("pretty", "raw", "hex")

# What would turn text around, hide it, or act on whoever copies it stands as its escape.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_XML_PARTS = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<[^>]*>|[^<]+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyView:
    """What is shown of a body."""

    way: str  # pretty, raw or hex: how it is shown now
    text: str
    cut: bool  # only its beginning is shown
    kind: str = ""  # json, xml or form, where it is laid out


def view_body(body: bytes, way: str = "") -> BodyView:
    """Show a body a way; without one, or where that way does not fit, in the way that fits best."""
    binary = _is_binary(body)
    if way == "hex" or (not way and binary):
        return BodyView(way="hex", text=hex_lines(body[:HEX_BYTES]), cut=len(body) > HEX_BYTES)
    if way != "raw" and not binary and len(body) <= PRETTY_BYTES and (found := _laid_out(body.decode())):
        kind, text = found
        return BodyView(way="pretty", text=seen(text[:_PRETTY_CHARACTERS]), cut=len(text) > _PRETTY_CHARACTERS, kind=kind)
    return BodyView(way="raw", text=seen(body[:RAW_BYTES].decode("utf-8", "replace")), cut=len(body) > RAW_BYTES)


def seen(text: str) -> str:
    """A text whose control and direction characters can be seen: `\\x1b`, `\\u202e`."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))


def shown(value: str | bytes) -> str:
    """What a stranger sent, as text that can be seen."""
    return seen(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


def hex_lines(body: bytes) -> str:
    """Sixteen bytes a line: place, bytes, and what is printable of them."""
    lines = []
    for place in range(0, len(body), 16):
        part = body[place : place + 16]
        plain = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{place:08x}  {part[:8].hex(' '):23}  {part[8:].hex(' '):23}  {plain}")
    return "\n".join(lines)


def _is_binary(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in body


def _laid_out(text: str) -> tuple[str, str] | None:
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        return _if_json(text)
    if start == "<":
        return "xml", _xml(text)
    fields = _fields(text)
    return ("form", "\n".join(f"{name}: {value}" for name, value in fields)) if fields else None


def _if_json(text: str) -> tuple[str, str] | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return "json", _json(text)


def _json(text: str) -> str:
    """Laid out from its own characters, so that numbers and repeated keys stay as they were sent."""
    made: list[str] = []
    depth = length = 0
    last = ""
    for found in _JSON_PARTS.finditer(text):
        part = found[0]
        if part in "}]":
            depth -= 1
            made.append(part if last in ("{", "[") else _line(depth) + part)
        else:
            made.append(_line(depth) + part if last in ("{", "[", ",") else part)
            depth += part in ("{", "[")
        if part == ":":
            made.append(" ")
        last = part
        length += len(made[-1])
        if length > _PRETTY_CHARACTERS:
            break
    return "".join(made)


def _xml(text: str) -> str:
    """Elements by depth, told by their brackets alone: nothing is parsed, so nothing in it can expand."""
    made: list[str] = []
    depth = length = 0
    for found in _XML_PARTS.finditer(text):
        part = found[0].strip()
        if not part:
            continue
        closes = part.startswith("</")
        depth = max(0, depth - closes)
        made.append(_line(depth) + part)
        depth += part.startswith("<") and not (closes or part.endswith("/>") or part.startswith(("<!", "<?")))
        length += len(made[-1])
        if length > _PRETTY_CHARACTERS:
            break
    return "".join(made).strip()


def _line(depth: int) -> str:
    return "\n" + "  " * max(0, min(depth, _DEEPEST))


def _fields(text: str) -> list[tuple[str, str]]:
    if "=" not in text or any(character.isspace() for character in text.strip()):
        return []
    try:
        return parse_qsl(text.strip(), keep_blank_values=True, strict_parsing=True, max_num_fields=1000)
    except ValueError:
        return []

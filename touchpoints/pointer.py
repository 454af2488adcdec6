"""JSON pointers (RFC 6901) into documents that strangers sent, where `*` stands for every element of an array."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import orjson

ABSENT: Any = object()  # what is in no document

_BOM = b"\xef\xbb\xbf"
_EXACT_FLOAT = 2.0**53
_POINTER = re.compile(r"(/([^~]|~[01])*)?")
_MOST_VALUES = 10_000
_MOST_PARTS = 2_000_000  # each takes up to 84 bytes of memory, of `[],` in a body of 25 MiB 735 MiB in all
_EVERY = "*"


def parse_json(text: bytes) -> Any:
    """The document, or ABSENT when it is none or has more parts than any sender's; of duplicate keys the last counts."""
    if len(text) > _MOST_PARTS and sum(map(text.count, (b",", b"[", b"{"))) > _MOST_PARTS:
        return ABSENT
    try:
        return orjson.loads(memoryview(text)[3:] if text.startswith(_BOM) else text)
    except orjson.JSONDecodeError:
        return ABSENT


class _RepeatedError(Exception):
    """A name that stands twice in one object."""


def repeats(text: bytes) -> bool:
    """Whether a name stands twice in one object of a document: another reader could take the other value.

    Raises ValueError for what Python's own reader cannot read.
    """
    try:
        json.loads(text.decode(), object_pairs_hook=_unrepeated)
    except _RepeatedError:
        return True
    except RecursionError as error:
        raise ValueError("too deep") from error
    return False


def _unrepeated(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _RepeatedError


def tokens_of(pointer: str) -> tuple[str, ...]:
    """A pointer's tokens. Raises ValueError in words when it is no pointer."""
    if _POINTER.fullmatch(pointer) is None:
        raise ValueError(f'"{pointer[:40]}" is no JSON pointer; it begins with / as in json:/order/id')
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def follow(document: Any, tokens: Sequence[str]) -> list[bytes]:
    """The scalar at a pointer as text, in a list, which is empty when nothing is there.

    With a `*` one text for every element: empty where an element lacks it, so that whoever proves a sender by it sees that
    one is missing. The list is empty when all of them lack it.
    """
    if _EVERY in tokens:
        return _follow_every(document, tokens)
    text = scalar(node_at(document, tokens))
    return [] if text is None else [text.encode("utf-8", "replace")]


def node_at(document: Any, tokens: Sequence[str]) -> Any:
    """What stands at a pointer without `*`, of whatever type; ABSENT when nothing does."""
    for token in tokens:
        document = _step(document, token)
        if document is ABSENT:
            return ABSENT
    return document


def _follow_every(document: Any, tokens: Sequence[str]) -> list[bytes]:
    nodes = [document]
    for token in tokens:
        if token == _EVERY:
            nodes = [item for node in nodes for item in _elements(node)]
            if len(nodes) > _MOST_VALUES:
                return []
        else:
            nodes = [_step(node, token) for node in nodes]
    texts = [(scalar(node) or "").encode("utf-8", "replace") for node in nodes]
    return texts if any(texts) else []


def _elements(node: Any) -> Sequence[Any]:
    if isinstance(node, list):
        return node or (ABSENT,)
    return (_step(node, _EVERY),)


def _step(node: Any, token: str) -> Any:
    if isinstance(node, dict):
        return node.get(token, ABSENT)
    if isinstance(node, list) and token.isascii() and token.isdigit() and len(token) < 10 and int(token) < len(node):
        return node[int(token)]
    return ABSENT


def scalar(value: Any) -> str | None:
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

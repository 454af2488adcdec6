"""A batch as bytes: in frames, which carry sealed events as they are, or as JSON, for curl and others.

A frame: length of the head u32be · head, a JSON object · length of the body u64be · body. The first frame's head is the
batch's, and says how many frames of messages, then of asks follow; nothing may come after them.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import orjson

from touchpoints.pull.body import parse
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import VERSION, Ask, Batch, Sealed
from touchpoints.pull.rule import Rule, many, read_fields, whole, write_fields
from touchpoints.pull.shape import (
    ASK,
    ASK_HEAD,
    BATCH_HEAD,
    LARGEST_BATCH,
    MESSAGE,
    MESSAGE_HEAD,
    MOST_ASKS,
    MOST_MESSAGES,
)

FRAMES = "application/vnd.hookport.frames"
JSON = "application/json"

LARGEST_HEAD = 1024 * 1024  # bytes of one frame's head

_HEAD = struct.Struct(">I")
_BODY = struct.Struct(">Q")
_COUNTS = {"messages": whole(0, MOST_MESSAGES), "asks": whole(0, MOST_ASKS)}
_MESSAGES = many(MESSAGE, MOST_MESSAGES)
_ASKS = many(ASK, MOST_ASKS)


def batch_chunks(batch: Batch) -> Iterator[bytes]:
    """The batch in frames, piece by piece: nothing is copied together."""
    counts = {"messages": len(batch.messages), "asks": len(batch.asks)}
    head = {"version": VERSION, **counts, **write_fields(BATCH_HEAD, batch)}
    yield from _frame("batch", head, b"")
    for message in batch.messages:
        yield from _frame("message", write_fields(MESSAGE_HEAD, message), message.data)
    for ask in batch.asks:
        yield from _frame("ask", write_fields(ASK_HEAD, ask), ask.data)


def encode_batch(batch: Batch) -> bytes:
    """The batch in frames, whole."""
    return b"".join(batch_chunks(batch))


def decode_batch(data: bytes) -> Batch:
    """A batch out of frames. Digests are not checked here: see `untouched`. Raises PullMalformed."""
    frames = _Frames(data)
    head, body = frames.next("batch")
    _check_version(head)
    values = read_fields(Batch, BATCH_HEAD, head)
    counts = {name: _count(head, name, rule) for name, rule in _COUNTS.items()}
    if body:
        raise PullMalformed("the batch's first frame has a body")
    messages = []
    for _ in range(counts["messages"]):
        head, body = frames.next("message")
        messages.append(Sealed(**read_fields(Sealed, MESSAGE_HEAD, head), data=body))
    asks = []
    for _ in range(counts["asks"]):
        head, body = frames.next("ask")
        asks.append(Ask(**read_fields(Ask, ASK_HEAD, head), data=body))
    frames.end()
    return _checked(Batch(**values, messages=tuple(messages), asks=tuple(asks)))


def batch_to_json(batch: Batch) -> bytes:
    """The batch as JSON, bytes as Base64."""
    carried = {"messages": _MESSAGES.write(batch.messages), "asks": _ASKS.write(batch.asks)}
    return orjson.dumps({"version": VERSION, **write_fields(BATCH_HEAD, batch), **carried})


def batch_from_json(data: bytes) -> Batch:
    """A batch out of its JSON form. Raises PullMalformed."""
    found = parse(data, LARGEST_BATCH)
    values = read_fields(Batch, {**BATCH_HEAD, "messages": _MESSAGES, "asks": _ASKS}, found)
    _check_version(found)
    return _checked(Batch(**values))


def untouched(batch: Batch) -> bool:
    """Whether every message's SHA-256 is that of its bytes."""
    return all(hmac.compare_digest(hashlib.sha256(one.data).digest(), one.digest) for one in batch.messages)


def _frame(kind: str, head: Mapping[str, Any], body: bytes) -> Iterator[bytes]:
    written = orjson.dumps({"kind": kind, **head})
    yield b"".join((_HEAD.pack(len(written)), written, _BODY.pack(len(body))))
    if body:
        yield body


class _Frames:
    """Reads frame after frame. Each length is compared with what is there before it is used."""

    def __init__(self, data: bytes) -> None:
        if len(data) > LARGEST_BATCH:
            raise PullMalformed(f"a batch of more than {LARGEST_BATCH} bytes")
        self._data = data
        self._at = 0

    def next(self, kind: str) -> tuple[dict[str, Any], bytes]:
        head = parse(self._take(self._length(_HEAD, LARGEST_HEAD)), LARGEST_HEAD)
        if not isinstance(head, dict) or head.get("kind") != kind:
            raise PullMalformed(f"not the frame of kind {kind} that is due")
        return head, self._take(self._length(_BODY, LARGEST_BATCH))

    def end(self) -> None:
        if self._at != len(self._data):
            raise PullMalformed("something follows the last frame")

    def _length(self, number: struct.Struct, most: int) -> int:
        length: int = number.unpack(self._take(number.size))[0]
        if length > most:
            raise PullMalformed("a frame that is too large")
        return length

    def _take(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise PullMalformed("the batch is cut short")
        return self._data[start : self._at]


def _count(head: Mapping[str, Any], name: str, rule: Rule) -> int:
    if name not in head:
        raise PullMalformed(f"{name} is missing")
    count: int = rule.read(head[name])
    return count


def _check_version(head: Mapping[str, Any]) -> None:
    if head.get("version") != VERSION:
        raise PullMalformed("a batch of an unknown version")


def _checked(batch: Batch) -> Batch:
    """Raises PullMalformed unless the messages' numbers rise."""
    seqs = [message.seq for message in batch.messages]
    if any(later <= earlier for earlier, later in pairwise(seqs)):
        raise PullMalformed("messages that are not in order of receipt")
    return batch

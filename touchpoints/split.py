"""Splitting: a body that carries several events becomes one event for each, the bytes of each exactly as sent.

Nothing is parsed and written anew: numbers beyond 64 bits, the order of keys and the sender's own spelling all survive.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from touchpoints.event import Arrival, Event
from touchpoints.judge import request_of
from touchpoints.pointer import tokens_of
from touchpoints.receive import read_out
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint

MOST_ITEMS = 5_000  # SendGrid packs up to 768 KiB of small events; more than this is no batch of a known sender

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_QUOTE, _COMMA = b'",'
# What divides JSON that is known to be valid. A repeated group remembers each escape it passed: so many at once, then anew.
_MARK = re.compile(rb'[\[\]{},"]')
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+){0,256}+', re.DOTALL)

Span = tuple[int, int]


def split_body(body: bytes, pointer: str) -> list[bytes] | None:
    """The items of the JSON list at a pointer ("" is the whole body), each as the bytes that were sent.

    None where there is no list, where it is longer than MOST_ITEMS, and where the body is no JSON. Costs time by the body's
    length; of duplicate keys the last counts, as everywhere.
    """
    start = len(_BOM) if body.startswith(_BOM) else 0
    try:
        orjson.loads(memoryview(body)[start:])  # it also bounds the depth
    except orjson.JSONDecodeError:
        return None
    at = _value(body, start)
    for token in tokens_of(pointer):
        found = _step(body, at, token)
        if found is None:
            return None
        at = found
    if body[at : at + 1] != b"[":
        return None
    found_items: list[bytes] = []
    for begin, end in _members(body, at):
        if len(found_items) == MOST_ITEMS:
            return None
        found_items.append(body[begin:end].strip(_BLANK))
    return found_items


def _value(body: bytes, at: int) -> int:
    """Where the value behind blanks begins."""
    blanks = _BLANKS.match(body, at)
    return blanks.end() if blanks else at


def _text_end(body: bytes, at: int) -> int:
    """Where the text ends whose opening quote stands at `at`."""
    at += 1
    while text := _TEXT.match(body, at):
        at = text.end()
        if body[at] == _QUOTE:
            break
    return at + 1


def _step(body: bytes, at: int, token: str) -> int | None:
    """Where the member of that name, or of that number, begins in the container at `at`."""
    if body[at : at + 1] == b"{":
        return _named(body, at, token)
    if body[at : at + 1] == b"[" and token.isascii() and token.isdigit() and len(token) < 10:
        for number, (begin, _) in enumerate(_members(body, at)):
            if number == int(token):
                return _value(body, begin)
    return None


def _named(body: bytes, at: int, name: str) -> int | None:
    found = None
    for begin, _ in _members(body, at):
        key = _value(body, begin)
        end = _text_end(body, key)
        if orjson.loads(body[key:end]) == name:
            found = _value(body, _value(body, end) + 1)  # behind the colon
    return found


def _members(body: bytes, at: int) -> Iterator[Span]:
    """What stands between the commas of the container at `at`."""
    begin = end = at + 1
    depth = 1
    while depth and (mark := _MARK.search(body, end)):
        sign, end = body[mark.start()], mark.end()
        if sign == _QUOTE:
            end = _text_end(body, mark.start())
        elif sign in b"[{":
            depth += 1
        elif sign != _COMMA:
            depth -= 1
        if (depth == 0 and _value(body, begin) < mark.start()) or (depth == 1 and sign == _COMMA):
            yield begin, mark.start()
            begin = end


def item_id(event_id: str, number: int) -> str:
    """The id of an event's item, by the item's place from 0: always the same, so that splitting once more makes nothing new.

    It begins with the event's time and ends with the number, so that items sort by both.
    """
    digest = hashlib.sha256(f"{event_id}\0item".encode()).digest()
    letters = base64.b32hexencode(digest[:10]).decode().lower()
    return f"{event_id[:10]}{letters[:13]}{_digits(number)}"


def _digits(number: int) -> str:
    return "".join("0123456789abcdefghijklmnopqrstuv"[number >> shift & 31] for shift in (10, 5, 0))


def items_of(event: Event, body: bytes, touchpoint: Touchpoint) -> Sequence[Arrival] | None:
    """The events that an accepted event of a splitting touchpoint becomes; None where its body is no list: it stays whole.

    What an item is (its type, its reference, its dedup key) is read from the item by the touchpoint's selectors; headers and
    query stand in each. A key that stands there is made one of the item by its number: else all but one were duplicates.
    """
    if touchpoint.split is None:
        return None
    slices = split_body(body, touchpoint.split)
    if slices is None:
        return None
    outside = read_out(Reading(request_of(event, b"", "")), touchpoint, event.hop).dedup_key
    return [_item(event, number, part, touchpoint, outside) for number, part in enumerate(slices)]


def _item(event: Event, number: int, part: bytes, touchpoint: Touchpoint, outside: str | None) -> Arrival:
    read = read_out(Reading(request_of(event, part, "")), touchpoint, event.hop)
    key = read.dedup_key
    if key is not None and key == outside:
        key = f"{key}#{number}"
    item = replace(
        event,
        id=item_id(event.id, number),
        event_type=read.event_type,
        dedup_key=key,
        reference=read.reference,
        id_signed=read.id_signed,
        body_bytes=len(part),
        body_hash=hashlib.sha256(part).digest(),
    )
    return Arrival(event=item, body=part)

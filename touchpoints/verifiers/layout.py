"""How signatures stand in their headers: alone, in a list, or beside other fields."""

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Laid(NamedTuple):
    """What stands at a signature's place: its candidates, and the other fields beside them."""

    candidates: list[bytes]
    fields: Sequence[tuple[bytes, bytes]] = ()


def _plain(value: bytes, _tag: bytes) -> Laid:
    return Laid([value])


def _many(value: bytes, _tag: bytes) -> Laid:
    return Laid([part.strip() for part in value.split(b",")])


def _csvkv(value: bytes, tag: bytes) -> Laid:
    fields = [(key.strip(), item.strip()) for key, _, item in (part.partition(b"=") for part in value.split(b","))]
    return Laid([item for key, item in fields if key == tag], fields)


def _spacelist(value: bytes, tag: bytes) -> Laid:
    return Laid([item for key, _, item in (part.partition(b",") for part in value.split(b" ")) if key == tag])


# `many`: several headers or a list divided by commas; `numbered`: headers whose names are the tag and a number.
LAYOUTS: dict[str, Callable[[bytes, bytes], Laid]] = {
    "plain": _plain,
    "many": _many,
    "csvkv": _csvkv,
    "spacelist": _spacelist,
    "numbered": _plain,
}
SEVERAL = frozenset({"many", "numbered"})  # those whose values may come more than once: any of them may prove
TAGGED = frozenset({"csvkv", "spacelist", "numbered"})

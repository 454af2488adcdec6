"""The time of sending, as senders write it, and whether it is close enough to now."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from touchpoints.moment import SECOND, Micros, from_datetime, rfc3339
from touchpoints.request import Refused

_NUMBER = re.compile(rb"[0-9]{1,15}")
# RFC 3339 section 5.6, with capital letters.
_ISO = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


class Stamp(NamedTuple):
    """A time of sending: its text, which is what was signed, and the moment it means."""

    text: bytes
    moment: Micros


class Unit(NamedTuple):
    """One way of writing times. `read` gives None for what is no such time; `step` is the smallest one between two."""

    read: Callable[[bytes], Micros | None]
    write: Callable[[Micros], bytes]
    step: Micros


def _number(step: Micros) -> Unit:
    def read(text: bytes) -> Micros | None:
        return int(text) * step if _NUMBER.fullmatch(text) else None

    return Unit(read, lambda moment: str(moment // step).encode(), step)


def _read_iso(text: bytes) -> Micros | None:
    if _ISO.fullmatch(text) is None:
        return None
    try:
        return from_datetime(datetime.fromisoformat(text.decode()))
    except (ValueError, OverflowError):
        return None


UNITS: dict[str, Unit] = {
    "s": _number(SECOND),
    "ms": _number(SECOND // 1000),
    "iso": Unit(_read_iso, lambda moment: rfc3339(moment // SECOND * SECOND).replace(".000000", "").encode(), SECOND),
}


def fresh(moment: Micros, unit: Unit, tolerance: Micros, now: Micros) -> Refused | None:
    """Why a time of sending is too far from now, in both directions although some vendors' own libraries only look back."""
    age = now - moment
    if age > tolerance + unit.step:
        return Refused(code="timestamp_stale")
    return Refused(code="timestamp_future") if age < -tolerance else None

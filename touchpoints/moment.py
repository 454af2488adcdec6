"""Moments and spans of time as integers: microseconds since 1970-01-01 UTC, so that SQLite, JSON and arithmetic agree."""

from datetime import UTC, datetime, timedelta

Micros = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(moment: Micros) -> str:
    """A moment as RFC 3339 UTC with microseconds, e.g. `2026-11-24T15:07:21.000123Z`."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def told_moment(moment: Micros) -> str:
    """The same for a person, to the second, e.g. `2026-11-24T15:07:21Z`."""
    return rfc3339(moment)[:19] + "Z"


def from_datetime(value: datetime) -> Micros:
    """An aware datetime as microseconds. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("a datetime without a zone is not a moment")
    return (value - _EPOCH) // timedelta(microseconds=1)

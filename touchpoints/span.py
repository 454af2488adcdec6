"""Spans of time as people write them, e.g. `30s`, `5m`, `36h`, `7d`, `500ms`; microseconds inside."""

import re

from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros

_UNITS: dict[str, Micros] = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": SECOND // 1000}
_SPAN = re.compile(r"([0-9]{1,15})(ms|[smhd])")
_LONGEST: Micros = 36500 * DAY


def parse_span(text: str) -> Micros:
    """A span such as `36h` in microseconds, from `0s` to a hundred years. Raises ValueError in words for anything else."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text[:40]}" is no span of time; write a whole number and a unit, as in 500ms, 30s, 5m, 36h, 7d')
    span = int(match[1]) * _UNITS[match[2]]
    if span > _LONGEST:
        raise ValueError(f'"{text[:40]}" is longer than a hundred years')
    return span


def format_span(span: Micros) -> str:
    """The shortest way to write a span that is read back as the same; below a millisecond is cut off."""
    for unit, size in _UNITS.items():
        if span and span % size == 0:
            return f"{span // size}{unit}"
    return f"{span // _UNITS['ms']}ms" if span >= _UNITS["ms"] else "0s"

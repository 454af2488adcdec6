"""Figures as people read them: numbers, sizes, spans of time."""

from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros
from web.page.words import t

_SIZES = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))


def number(value: float) -> str:
    """4812 as `4,812`."""
    return f"{value:,}"


def size(value: int) -> str:
    """Bytes as `1.2 GB`, `14 KB`, `312 bytes`."""
    for unit, name in _SIZES:
        if value >= unit:
            amount = value / unit
            return f"{amount:,.0f} {name}" if amount >= 10 else f"{amount:.1f} {name}"
    return t("base.bytes", n=value)


def span(value: Micros) -> str:
    """A span in its largest fitting unit: `6 ms`, `1.4 s`, `4 min`, `3 h`, `2 days`."""
    if value < SECOND:
        return f"{max(1, round(value / 1000)) if value else 0} ms"
    if value < 10 * SECOND:
        return f"{value / SECOND:.1f} s".replace(".0 ", " ")
    if value < 2 * MINUTE:
        return f"{value // SECOND} s"
    if value < 2 * HOUR:
        return f"{value // MINUTE} min"
    if value < 2 * DAY:
        return f"{value // HOUR} h"
    return t("base.days", n=value // DAY)

"""Times as people read them, in this machine's own zone: what stands in its other logs, and what `since` and `until` mean."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from touchpoints.moment import DAY, MINUTE, SECOND, Micros
from web.page.figures import span
from web.page.words import t

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 5  # CET, AEST; Windows has sentences


def utc(moment: Micros) -> datetime:
    """A moment in UTC."""
    return _EPOCH + timedelta(microseconds=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How moments are told at one moment. `local` gives a moment in the machine's zone.

    Where it is `steady`, the words change only when what they tell of does: the live stream sends what differs, and the
    browser itself counts on.
    """

    now: Micros
    local: Callable[[Micros], datetime] = utc
    steady: bool = False

    def clock(self, moment: Micros) -> str:
        """`18:40:07`."""
        return self.local(moment).strftime("%H:%M:%S")

    def day_and_clock(self, moment: Micros) -> str:
        """`24 Nov 18:40`."""
        return self.local(moment).strftime("%d %b %H:%M").lstrip("0")

    def when(self, moment: Micros) -> str:
        """The time of day, with the day when it is not today's."""
        today = self.local(moment).date() == self.local(self.now).date()
        return self.clock(moment) if today else self.day_and_clock(moment)

    def ago(self, moment: Micros) -> str:
        """`4 s ago`, `3 h ago`; beyond a day, day and clock."""
        passed = max(self.now - moment, 0)
        if self.steady or passed >= DAY:
            return self.when(moment)
        return t("base.ago", span=span(passed // SECOND * SECOND)) if passed >= SECOND else t("base.just_now")

    def in_full(self, moment: Micros) -> str:
        """`24 Nov 2026, 18:40:07 CET`."""
        at = self.local(moment)
        name = at.tzname() or ""
        return f"{at.strftime('%d %b %Y, %H:%M:%S').lstrip('0')} {name if _is_plain(name) else _offset(at)}"

    @property
    def zone(self) -> str:
        """`CET (UTC+01:00)`."""
        at = self.local(self.now)
        name, offset = at.tzname() or "", _offset(at)
        return offset if name == "UTC" or name[:1] in "+-" else f"{name} ({offset})"

    def east(self, moment: Micros) -> int:
        """Minutes that the machine's zone is ahead of UTC at that moment."""
        return (self.local(moment).utcoffset() or timedelta()) // timedelta(microseconds=MINUTE)


def _is_plain(name: str) -> bool:
    return name.isalpha() and len(name) <= _LONGEST_NAME


def _offset(at: datetime) -> str:
    minutes = (at.utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}" if minutes else "UTC"

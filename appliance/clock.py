"""The clock: the only place that asks the machine for the time."""

import time
from datetime import UTC, datetime, timedelta

from touchpoints.moment import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall time for records, monotonic time for waits."""

    def now(self) -> Micros:
        """Wall time; jumps when somebody sets the machine's clock."""
        return time.time_ns() // 1000

    def steady(self) -> Micros:
        """Monotonic time; never jumps, and means nothing outside this process."""
        return time.monotonic_ns() // 1000

    def local(self, moment: Micros) -> datetime:
        """A moment in this machine's zone."""
        return (_EPOCH + timedelta(microseconds=moment)).astimezone()

"""The schedule: when chores run. New events wake their hop at once; this is the safety net and the housekeeping."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

# A late chore still runs, once, and never beside itself: a sleeping laptop must not lose its nightly one.
_DEFAULTS = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}


class Schedule:
    """All chores, on one APScheduler."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=_DEFAULTS)

    def every(self, seconds: float, chore: Callable[[], Awaitable[None]], *, name: str) -> None:
        """Run a chore every so many seconds, from now on."""
        self._scheduler.add_job(chore, IntervalTrigger(seconds=seconds, timezone=UTC), id=name, name=name)

    def start(self) -> None:
        """Begin; the loop must be running."""
        self._scheduler.start()

    def reschedule(self) -> None:
        """The clock jumped: what was to run by the old time runs now, and then in step with the new one."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=now)

    def stop(self) -> None:
        """No chore starts any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

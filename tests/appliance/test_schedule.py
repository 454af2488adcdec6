import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from appliance.schedule import Schedule
from tests.appliance.stage import until

pytestmark = pytest.mark.anyio


async def _ended(schedule: Schedule) -> None:
    schedule.stop()
    await asyncio.sleep(0.01)


async def test_a_chore_runs_again_and_again_and_not_after_the_end() -> None:
    """Once started, every so many seconds; once stopped, never."""
    schedule, runs = Schedule(), list[int]()

    async def chore() -> None:
        runs.append(1)

    schedule.every(0.02, chore, name="chore")
    await asyncio.sleep(0.05)
    assert not runs
    schedule.start()
    await until(lambda: len(runs) >= 3)
    await _ended(schedule)
    seen = len(runs)
    await asyncio.sleep(0.06)
    assert len(runs) == seen
    schedule.stop()


async def test_a_chore_that_fails_runs_again_and_takes_no_other_along(caplog: pytest.LogCaptureFixture) -> None:
    """One bad look at the disk is no reason never to look again."""
    schedule, runs, others = Schedule(), list[int](), list[int]()

    async def failing() -> None:
        runs.append(1)
        raise ValueError("unforeseen")

    async def other() -> None:
        others.append(1)

    schedule.every(0.02, failing, name="failing")
    schedule.every(0.02, other, name="other")
    schedule.start()
    await until(lambda: len(runs) >= 3 and len(others) >= 3)
    await _ended(schedule)
    assert "unforeseen" in caplog.text


async def test_a_chore_never_runs_beside_itself() -> None:
    """A slow one is not started again before it has ended."""
    schedule, under_way, most = Schedule(), 0, 0

    async def slow() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await asyncio.sleep(0.05)
        finally:
            under_way -= 1

    schedule.every(0.01, slow, name="slow")
    schedule.start()
    await until(lambda: most == 1)
    await asyncio.sleep(0.1)
    await _ended(schedule)
    assert most == 1


async def test_chores_run_after_the_clock_was_set_back() -> None:
    """By the old time the next run would come in a day; rescheduled, it comes at once and then in step."""
    schedule, runs = Schedule(), list[int]()

    async def chore() -> None:
        runs.append(1)

    schedule.every(0.02, chore, name="chore")
    schedule.start()
    (job,) = schedule._scheduler.get_jobs()
    job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    await asyncio.sleep(0.06)
    assert not runs
    schedule.reschedule()
    await until(lambda: len(runs) >= 3)
    await _ended(schedule)

import asyncio
from pathlib import Path

import pytest

from appliance.clock_watch import ClockWatch
from appliance.tasks import Tasks
from appliance.works import Surroundings, Works
from store.settings import Configuration
from tests.appliance.facts import FactsInMemory
from tests.appliance.stage import FakeClock, stage, touchpoint, until_async
from tests.store.make import arrival, opened
from touchpoints.moment import DAY, HOUR, SECOND
from touchpoints.touchpoint import FolderDestination
from web.listener.budget import Budget
from web.listener.endpoint import Directory

pytestmark = pytest.mark.anyio


class TwoClocks(FakeClock):
    """Both clocks are told what to say."""

    def __init__(self) -> None:
        super().__init__()
        self.monotonic = 0

    def steady(self) -> int:
        return getattr(self, "monotonic", 0)


def test_it_tells_each_jump_once() -> None:
    """How far, in whichever direction; a steady clock is not worth a word."""
    clock, jumps = TwoClocks(), list[int]()
    watch = ClockWatch(clock, jumped=jumps.append)
    for moved in (0, -DAY, 0, HOUR, 4 * SECOND):
        clock.forward(moved)
        watch.look()
    assert jumps == [-DAY, HOUR]


def test_nothing_is_erased_by_age_for_an_hour_after_a_jump() -> None:
    """The calm ends with the jump and comes back an hour of monotonic time later, whatever the wall clock says."""
    clock = TwoClocks()
    watch = ClockWatch(clock, jumped=lambda _: None)
    clock.monotonic += HOUR
    clock.forward(HOUR)
    watch.look()
    assert watch.calm
    clock.forward(365 * DAY)
    watch.look()
    assert not watch.calm
    clock.monotonic += HOUR - 1
    assert not watch.calm
    clock.monotonic += 1
    assert watch.calm


async def test_it_notices_within_about_a_second() -> None:
    """It sleeps by monotonic time, which a jump cannot stretch."""
    clock, noticed = FakeClock(running=True), asyncio.Event()
    task = asyncio.get_running_loop().create_task(ClockWatch(clock, jumped=lambda _: noticed.set()).run())
    await asyncio.sleep(0)
    clock.forward(-DAY)
    async with asyncio.timeout(1.5):
        await noticed.wait()
    task.cancel()
    await asyncio.wait([task])


async def test_the_hops_run_on_while_the_clock_is_set_back_a_day(tmp_path: Path) -> None:
    """New events go out within about a second of monotonic time."""
    async with stage(tmp_path, clock=FakeClock(running=True)) as play:
        await play.put(1)
        await play.settled()
        play.clock.forward(-DAY)
        async with asyncio.timeout(1.5):
            await play.put(2, received_at=play.clock.now())
            await play.settled()
        assert play.sender().numbers == [1, 2]


async def test_a_retry_reckoned_by_a_clock_that_ran_ahead_is_due_now(tmp_path: Path) -> None:
    """A clock set back a year does not put a delivery off for a year."""
    clock, tasks = FakeClock(), Tasks()
    inbox = tmp_path / "erp"
    one = touchpoint(destinations=[FolderDestination(id=1, name="erp", path=str(inbox))])
    async with opened(tmp_path / "events.db") as file:
        works = Works(
            file,
            Surroundings(
                configuration=lambda: Configuration(touchpoints=(one,)),
                directory=lambda: Directory(endpoints={}),
                facts=FactsInMemory(),
                budget=Budget(1 << 26),
                clock=clock,
                environment={},
                tasks=tasks,
                settled=lambda _job, _settlement: None,
            ),
        )
        await works.start()
        await file.inbox.put(arrival(1, received_at=clock.now()))
        works.drain.pace.wake()

        async def failed() -> bool:
            timeline = await file.log.timeline(f"{1:026d}")
            return timeline is not None and len(timeline.attempts) >= 3

        await until_async(failed)
        inbox.mkdir()
        clock.forward(-365 * DAY)

        def jumped(moved: int) -> None:
            tasks.spawn(works.clock_jumped(moved), name="jumped")

        watch = ClockWatch(clock, jumped=jumped)
        watch._steadiness._apart += 365 * DAY
        watch.look()

        async def arrived() -> bool:
            return (await file.log.backlog()).outbox == 0

        await until_async(arrived, seconds=3)
        assert len(list(inbox.iterdir())) == 1
        await works.close(grace=1)

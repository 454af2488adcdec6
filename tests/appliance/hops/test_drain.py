import asyncio
from pathlib import Path

import pytest

from appliance.hops import drain as drain_module
from store.inbox import StoreUnavailable
from tests.appliance.stage import Stage, changed, destination, stage, touchpoint, until, until_async
from touchpoints.touchpoint import TouchpointState

pytestmark = pytest.mark.anyio


async def test_it_plans_a_delivery_to_each_destination(tmp_path: Path) -> None:
    """One event with two destinations goes out twice, with ids that differ."""
    async with stage(tmp_path, touchpoint(destinations=[destination(1), destination(2)])) as play:
        await play.put(1)
        await play.settled()
        assert play.sender(1).numbers == play.sender(2).numbers == [1]
        assert play.sender(1).ids != play.sender(2).ids


async def test_stranded_events_block_nobody_and_go_out_when_their_touchpoint_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than a batch holds lie before an ordinary event; all are kept, told, and planned later."""
    monkeypatch.setattr(drain_module, "BATCH", 3)
    async with stage(tmp_path) as play:
        await play.put(*range(1, 8), touchpoint=9)
        await play.put(8)
        await until(lambda: play.sender().numbers == [8])
        await until(lambda: play.drain.stranded == 7)
        assert await play.file.inbox.waiting() == 7

        play.drain.restart()
        await until(lambda: play.drain.stranded == 7 and not play.drain._restarting)

        await play.follow(touchpoint(), touchpoint(9))
        await play.settled()
        assert play.sender(9).numbers == [1, 2, 3, 4, 5, 6, 7]
        await until(lambda: play.drain.stranded == 0)


async def test_a_restart_while_a_batch_is_looked_at_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A touchpoint that appears while its events are just being stepped over still gets them."""
    async with stage(tmp_path, start=False) as play:
        await play.put(1, touchpoint=9)
        await play.put(2)
        plan = play.file.outbox.plan

        async def plan_and_restart(plans: object) -> None:
            await plan(plans)  # type: ignore[arg-type]
            play.touchpoints[9] = touchpoint(9)
            play.drain.restart()

        monkeypatch.setattr(play.file.outbox, "plan", plan_and_restart)
        assert await play.drain.once() == 2
        assert await play.drain.once() == 1
        assert await play.file.inbox.waiting() == 0


async def test_it_waits_while_the_store_is_unavailable_and_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a full disk nor an error nobody foresaw ends the hop."""
    async with stage(tmp_path) as play:
        plan, errors = play.file.outbox.plan, [StoreUnavailable("disk_full"), ValueError("unforeseen")]

        async def failing(plans: object) -> None:
            if errors:
                play.drain.pace.wake()
                raise errors.pop(0)
            await plan(plans)  # type: ignore[arg-type]

        monkeypatch.setattr(play.file.outbox, "plan", failing)
        await play.put(1)
        await play.settled()
        assert play.sender().numbers == [1]
        assert not errors


async def test_a_duplicate_a_filtered_and_a_test_event_are_not_delivered(tmp_path: Path) -> None:
    """Each is settled in the inbox, and stands in the log as what it is."""
    async with stage(tmp_path, touchpoint(events=("orders/*",))) as play:
        await play.put(1, event_type="orders/create", dedup_key="1:a")
        await play.put(2, event_type="orders/create", dedup_key="1:a")
        await play.put(3, event_type="products/update")
        await play.put(4, event_type="orders/create", dedup_key="1:b", test=True)
        await play.put(5, event_type="orders/create", dedup_key="1:b")
        await play.settled()
        assert play.sender().numbers == [1, 5]
        assert await play.states() == {1: "delivered", 2: "duplicate", 3: "filtered", 4: "accepted", 5: "delivered"}
        assert (await play.timeline(1)).duplicates == (f"{2:026d}",)


async def test_an_event_of_a_touchpoint_on_hold_is_planned_and_held(tmp_path: Path) -> None:
    """It is accepted and planned, and nothing goes out."""
    async with stage(tmp_path, changed(touchpoint(), state=TouchpointState.HOLD)) as play:
        await play.put(1)

        async def held() -> bool:
            return (await play.file.log.backlog()).held == 1

        await until_async(held)
        assert not play.sender().jobs


async def test_a_cancelled_drain_loses_nothing(tmp_path: Path) -> None:
    """Whatever was planned or not, the next drain brings every event out once."""
    async with stage(tmp_path, start=False) as play:
        await play.lanes.follow(play.touchpoints.values())
        await play.put(*range(1, 30))
        for _ in range(5):
            play.tasks.spawn(play.drain.run(), name="drain")
            await _some_steps(play)
            await play.tasks.end("drain")
        play.tasks.spawn(play.drain.run(), name="drain")
        await play.settled()
        assert sorted(play.sender().numbers) == list(range(1, 30))


async def _some_steps(play: Stage) -> None:
    await play.file.inbox.waiting()


async def test_a_burst_is_taken_in_first_but_never_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After large batches of fresh events planning leaves the time to the listener; not after small ones, nor when behind."""
    rests: list[float] = []

    async def note(seconds: float) -> None:
        rests.append(seconds)

    async with stage(tmp_path, start=False) as play:
        monkeypatch.setattr(asyncio, "sleep", note)
        for numbers, aged, expected in (
            (range(1, 20), 0, 0),
            (range(20, 40), 0, 1),
            (range(40, 42), 0, 0),
            (range(42, 62), 0, 0),
            (range(62, 82), 0, 1),
            (range(82, 102), drain_module.BEHIND * 2, 0),
        ):
            await play.put(*numbers)
            play.forward(aged)
            rests.clear()
            run = asyncio.ensure_future(play.drain.run())
            while await play.file.inbox.waiting():
                await asyncio.wait([run], timeout=0.01)
            run.cancel()
            await asyncio.wait([run])
            assert (len(rests), all(rest >= drain_module.BUSY_REST for rest in rests)) == (expected, True)

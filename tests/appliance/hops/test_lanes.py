import asyncio
from pathlib import Path

import pytest

from tests.appliance.stage import UNREACHABLE, destination, stage, touchpoint, until

pytestmark = pytest.mark.anyio


async def test_lanes_are_opened_and_closed_with_the_configuration(tmp_path: Path) -> None:
    """A new destination gets a lane, one that is gone loses its lane and its connections."""
    async with stage(tmp_path) as play:
        assert play.lanes.health().keys() == {1}
        await play.follow(touchpoint(), touchpoint(2, [destination(2), destination(3)]))
        assert play.lanes.health().keys() == {1, 2, 3}
        await play.put(1, touchpoint=2)
        await play.settled()
        assert play.sender(2).numbers == play.sender(3).numbers == [1]

        await play.follow(touchpoint(2, [destination(3)]))
        assert play.lanes.health().keys() == {3}
        assert play.sender(1).closed
        assert play.sender(2).closed
        assert play.lanes.sender(2) is None
        assert play.lanes.sender(3) is play.sender(3)


async def test_a_destination_that_comes_back_is_remembered(tmp_path: Path) -> None:
    """What was known of it when it was taken out still counts."""
    async with stage(tmp_path) as play:
        play.sender().usual = UNREACHABLE
        await play.put(1, 2, 3)
        await until(lambda: play.lanes.health()[1].down_since is not None and play.lanes._lanes[1].idle)
        known = play.lanes.health()[1]
        await play.follow()
        await play.follow(touchpoint())
        assert play.lanes.health()[1] == known


async def test_waking_an_unknown_destination_is_harmless(tmp_path: Path) -> None:
    """A delivery may be planned for a destination that has just gone."""
    async with stage(tmp_path) as play:
        play.lanes.wake([99, 1])
        play.lanes.wake()


async def test_closing_lets_attempts_end_and_claims_nothing_more(tmp_path: Path) -> None:
    """What is under way arrives and is recorded; what waits stays for the next start."""
    async with stage(tmp_path, touchpoint(destinations=[destination(concurrency=2)])) as play:
        sender = play.sender()
        sender.gate = asyncio.Event()
        await play.put(1, 2, 3, 4)
        await until(lambda: sender.under_way == 2)
        asyncio.get_running_loop().call_later(0.05, sender.gate.set)
        await play.lanes.close(grace=5)
        assert sender.numbers == [1, 2]
        assert await play.states() == {1: "delivered", 2: "delivered", 3: "pending", 4: "pending"}


async def test_closing_cuts_off_what_does_not_end_in_time(tmp_path: Path) -> None:
    """An attempt without an end holds up the stop for the grace, and repeats after the next start."""
    async with stage(tmp_path) as play:
        play.sender().gate = asyncio.Event()
        await play.put(1)
        await until(lambda: play.sender().under_way == 1)
        async with asyncio.timeout(2):
            await play.lanes.close(grace=0.05)
        assert await play.states() == {1: "pending"}
        assert (await play.timeline(1)).attempts == ()

import asyncio
import time

import pytest

from appliance.hops import pace
from appliance.hops.pace import Pace
from touchpoints.moment import DAY, SECOND

pytestmark = pytest.mark.anyio


async def test_a_wake_ends_a_rest_at_once() -> None:
    """A hop that rests is woken by what is new."""
    rest = Pace()
    asyncio.get_running_loop().call_later(0.01, rest.wake)
    began = time.monotonic()
    await rest.rest(now=0)
    assert time.monotonic() - began < 0.5


async def test_a_wake_before_the_rest_is_not_lost() -> None:
    """What came while the hop was busy ends the next rest, and only that one."""
    rest = Pace()
    rest.wake()
    rest.wake()
    async with asyncio.timeout(0.5):
        await rest.rest(now=0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await rest.rest(now=0)


async def test_a_rest_ends_when_something_is_due() -> None:
    """The due moment is reckoned from now; one that has passed ends the rest at once."""
    rest = Pace()
    began = time.monotonic()
    await rest.rest(now=10 * SECOND, due=10 * SECOND + SECOND // 20)
    assert 0.03 <= time.monotonic() - began < 0.5
    async with asyncio.timeout(0.5):
        await rest.rest(now=10 * SECOND, due=0)


async def test_no_rest_is_longer_than_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """However far ahead the next moment lies: a clock that jumped must not put a hop to sleep."""
    monkeypatch.setattr(pace, "LONGEST_REST", 0.05)
    async with asyncio.timeout(0.5):
        await Pace().rest(now=0, due=DAY)
        await Pace().rest(now=0)


async def test_a_rest_can_be_cancelled() -> None:
    """Ending a hop is not taken for a rest that is over."""
    task = asyncio.get_running_loop().create_task(Pace().rest(now=0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

import asyncio

import pytest

from web.listener.budget import SMALL, WAITING, Budget

pytestmark = pytest.mark.anyio

LIMIT = 64 * SMALL


async def test_never_over_the_limit() -> None:
    """What is out never exceeds the limit, and everything that fits is had in turn."""
    budget = Budget(LIMIT)

    async def use(n: int) -> bool:
        had = await budget.take(n, 5)
        await asyncio.sleep(0)
        if had:
            budget.give(n)
        return had

    assert all(await asyncio.gather(*(use(n * SMALL // 3) for n in range(1, 61))))
    assert budget.used == 0
    assert LIMIT // 2 < budget.peak <= LIMIT


async def test_large_claims_leave_room_for_small_ones() -> None:
    """Large bodies together cannot starve small ones."""
    budget = Budget(LIMIT)
    assert budget.try_take(LIMIT // 2)
    assert not budget.try_take(LIMIT // 2)
    assert budget.try_take(SMALL)


async def test_one_large_claim_may_be_all() -> None:
    """The only large claim may be as large as the budget; a larger one never comes."""
    assert Budget(LIMIT).try_take(LIMIT)
    assert not await Budget(LIMIT).take(LIMIT + 1, 5)


async def test_first_come_first_served() -> None:
    """A later claim does not overtake one that waits."""
    budget = Budget(LIMIT)
    assert budget.try_take(LIMIT - SMALL)
    assert budget.try_take(SMALL)
    order: list[int] = []

    async def claim(number: int) -> None:
        assert await budget.take(SMALL, 5)
        order.append(number)
        budget.give(SMALL)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(claim(number))
        await asyncio.sleep(0)
        budget.give(SMALL)
        assert not budget.try_take(SMALL)
    assert order == [0, 1, 2]


async def test_waiting_ends() -> None:
    """A claim that is not had in time takes nothing, and a cancelled one neither."""
    budget = Budget(SMALL)
    assert budget.try_take(SMALL)
    assert not await budget.take(1, 0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await budget.take(1, 5)
    budget.give(SMALL)
    assert budget.used == 0
    assert budget.try_take(SMALL)


async def test_cancelled_when_it_was_just_had() -> None:
    """A claim that is granted and cancelled in the same moment gives back what it got."""
    budget = Budget(SMALL)
    assert budget.try_take(SMALL)
    waiting = asyncio.create_task(budget.take(SMALL, 5))
    await asyncio.sleep(0)
    budget.give(SMALL)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert budget.used == 0


async def test_the_line_is_bounded() -> None:
    """Too many waiters are turned away at once."""
    budget = Budget(SMALL)
    assert budget.try_take(SMALL)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(budget.take(1, 5)) for _ in range(WAITING)]
        await asyncio.sleep(0)
        assert not await budget.take(1, 5)
        budget.give(SMALL)
    assert all(task.result() for task in tasks)


async def test_resize() -> None:
    """A larger limit serves those who wait."""
    budget = Budget(SMALL)
    assert budget.try_take(SMALL)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(budget.take(SMALL, 5))
        await asyncio.sleep(0)
        budget.resize(2 * SMALL)
    assert waiting.result()

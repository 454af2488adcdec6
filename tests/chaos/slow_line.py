"""A line so slow that one event takes longer to come than a lease lasts."""

import asyncio
from pathlib import Path

from tests.chaos.found import Found
from tests.chaos.ledger import LARGE_EVERY
from tests.chaos.middlebox import Cut, Exchange, open_middlebox
from tests.chaos.scene import Hours, Scene, scene, until

LARGE = 100_000  # bytes of an answer from which it crawls
PIECES = 150  # a second for each: two leases and a half


async def _crawling(exchange: Exchange) -> None:
    answer = await exchange.forward()
    if len(answer) < LARGE:
        await exchange.give(answer)
        return
    step = -(-len(answer) // PIECES)
    for start in range(0, len(answer), step):
        await exchange.give(answer[start : start + step])
        await asyncio.sleep(1)


async def _cut(_exchange: Exchange) -> None:
    raise Cut


async def slow_line(folder: Path, *, rounds: int = 1) -> Found:
    """The lease stays where the event is coming to, also where it has just begun there; it runs once, by that agent alone."""
    found = Found()
    for turn in range(rounds):
        async with scene(folder / f"{turn}") as made:
            found.add(await _slow(made, turn))
    return found


async def _slow(made: Scene, turn: int) -> Found:
    one = await made.settle("one")
    async with open_middlebox(made.port) as apart:
        two = await made.another("two", one, box=apart)
        sender, hours = made.sender(one), Hours(made.clock, one.clock, two.clock)
        made.box.set(_crawling)
        apart.set(_crawling)
        moved: list[float] = []
        await hours.forward(30)  # what waited already was to come as before

        def arrived() -> bool:
            if two.state == "connected":
                moved.append(hours.passed)
            return not made.ledger.missing

        assert await sender.send(LARGE_EVERY * (1 + 2 * turn))
        took = await hours.forward(400, until=arrived)
        held = (one.state, two.state, len(moved))
        made.box.set(_cut)  # the other takes over, with a large one as the first that it gets
        made.box.hang_up()
        assert await sender.send(LARGE_EVERY * (2 + 2 * turn))
        await hours.forward(120, until=lambda: two.state == "connected")
        made.box.set(_crawling)
        later = await hours.forward(400, until=arrived)
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(held == ("connected", "standby", 0), f"the lease moved while an event came: {held}")
        found.must(one.state != "connected", "the lease moved back while an event came")
        found.must(min(took, later) > 100, f"the line was not slow: {took:.0f} s and {later:.0f} s")
        found.must(max(took, later) < 250, f"it took {took:.0f} s and {later:.0f} s")
        both = (await one.events()).keys() & (await two.events()).keys()
        found.must(not both, f"{len(both)} events came to two agents")
        await two.stop()
        await until(lambda: one.state == "connected")
        return found

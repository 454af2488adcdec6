"""Clocks that jump by a day either way, and a machine that sleeps for hours, while senders post."""

import asyncio
import random
from pathlib import Path

from tests.chaos.found import Found
from tests.chaos.scene import AgentHouse, Scene, Skew, scene, until
from touchpoints.moment import DAY, HOUR


async def jumps(folder: Path, *, rounds: int = 4, seed: int = 1) -> Found:
    """Proxy's and agent's clocks jump, one or both; nothing is refused, repeated or forgotten, and pulling goes on."""
    chance = random.Random(seed)
    async with scene(folder) as made:
        house = await made.settle()
        await house.mode("both")
        senders = made.sender(house), made.direct_sender(house)
        stored = 0
        for _ in range(rounds):
            await _jump(made, house, chance)
            for sender in senders:
                stored += len(await sender.insist(4))
            await made.ledger.arrived(seconds=20)
        found = await made.ledger.judge(waiting=made.waiting)
        kept = await house.events()
        found.must(len(kept) == stored, f"{stored} events were stored, and {len(kept)} are kept")
        found.must(set(kept.values()) == {"accepted"}, f"verdicts are {set(kept.values())}")
        return found


async def _jump(made: Scene, house: AgentHouse, chance: random.Random) -> None:
    clocks: tuple[Skew, ...] = chance.choice(((made.clock,), (house.clock,), (made.clock, house.clock)))
    by = chance.choice((DAY, -DAY, 3 * HOUR))
    for clock in clocks:
        clock.wall += by
    if by == 3 * HOUR:  # it slept: what was connected is not, and nobody was told
        made.box.deafen()
        if house.clock not in clocks:
            house.clock.wall += by
    await asyncio.sleep(0.1)
    await until(lambda: house.state == "connected", seconds=40)

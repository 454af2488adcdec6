"""direct → proxy → direct → both → proxy, while senders post to both URLs."""

import asyncio
import time
from pathlib import Path

from tests.chaos.found import Found
from tests.chaos.ledger import traffic
from tests.chaos.scene import scene, until

MODES = ("proxy", "direct", "both", "direct", "proxy")


async def switch(folder: Path, *, each: float = 0.4, turns: int = 1) -> Found:
    """Nothing is lost, the switch repeats nothing, and what comes by both URLs with one delivery id runs once."""
    async with scene(folder) as made:
        house = await made.settle()
        await house.mode("direct")
        by_proxy, direct = made.sender(house), made.direct_sender(house)
        made.ledger.by_two_ways = True
        doubles = 0
        async with traffic(by_proxy, direct):
            for mode in MODES * turns:
                await house.mode(mode)
                deadline = time.monotonic() + each
                while time.monotonic() < deadline:
                    number = made.ledger.take()
                    both = await asyncio.gather(by_proxy.send(number), direct.send(number))
                    doubles += all(both)
                    await asyncio.sleep(0.02)
                if mode == "both":
                    await house.stop()
                    await house.start()
                    await until(lambda: house.state == "connected")
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(doubles > 0, "nothing came by both")
        found.notes.append(f"{doubles} came by both URLs; refused {dict(made.ledger.refused)}")
        return found

"""kill -9 of the real processes: at every step of the hop, and at any moment under load."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.child import Child
from tests.chaos.found import Found
from tests.chaos.ledger import Sender, traffic
from tests.chaos.scene import Scene, scene

EACH = 2  # events of a round
PATIENCE = 20.0  # seconds
MOST = 400  # steps: a run has fewer


class Pair:
    """The proxy and the agent as processes. They were paired in this one before, by what a person does."""

    def __init__(self, made: Scene, sender: Sender) -> None:
        self.scene = made
        self.ledger = made.ledger
        self.sender = sender
        self.proxy = Child("proxy", made.folder / "proxy", port=made.port)
        self.agent = Child("agent", made.folder / "one")

    async def whole(self, found: Found, *, excused: bool) -> Found:
        """With both running undisturbed: what came of it all; then what the files say."""
        for child in (self.proxy, self.agent):
            if not child.alive:
                child.start()
        await self.proxy.ready()
        judged = await self.ledger.judge(excused=excused, seconds=40)
        await self.agent.stop()
        await self.proxy.stop()
        await self.scene.start()
        (house,) = self.scene.houses
        await house.start()
        if judged.lost:
            judged.stuck = min(judged.lost, await self.scene.waiting())
            judged.lost -= judged.stuck
        kept = await house.events()
        for ids in self.ledger.runs.values():
            judged.must(set(ids) <= kept.keys(), "an event ran that the agent does not know")
        judged.must("refused" not in kept.values(), "an event that was signed came out refused")
        found.add(judged)
        return found

    async def close(self) -> None:
        await self.agent.kill()
        await self.proxy.kill()


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    """Paired, and not started yet."""
    async with scene(folder) as made:
        house = await made.settle()
        house.path()
        await house.stop()
        await made.stop()
        both = Pair(made, made.sender(house))
        try:
            yield both
        finally:
            await both.close()


async def agent_steps(folder: Path, *, stride: int = 1) -> Found:
    """The agent ends at its 1st, 2nd, 3rd … step, until it delivers all there is without reaching it."""
    async with pair(folder) as both:
        both.proxy.start()
        await both.proxy.ready()
        steps = await _each(both, both.agent, stride)
        return await both.whole(Found(notes=[f"{steps} steps"]), excused=True)


async def proxy_steps(folder: Path, *, stride: int = 1) -> Found:
    """The same with the proxy, while senders insist. Nothing of it ever makes a repeat."""
    async with pair(folder) as both:
        both.agent.start()
        steps = await _each(both, both.proxy, stride)
        return await both.whole(Found(notes=[f"{steps} steps"]), excused=False)


async def _each(both: Pair, victim: Child, stride: int) -> int:
    for last in range(1, MOST, stride):
        victim.start(last=last)
        if not await _until_struck(both, victim):
            await victim.kill()
            return last
        await victim.kill()
    raise AssertionError("a run has more steps than there can be")


async def _until_struck(both: Pair, victim: Child) -> bool:
    """Post, and wait until the victim has ended at its step; False: all arrived, and nothing happens any more."""
    posting = asyncio.ensure_future(_post(both))
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if victim.struck:
                return True
            if posting.done() and not both.ledger.missing:
                await asyncio.sleep(0.3)  # acknowledgement and settlement come after
                return victim.struck
            await asyncio.sleep(0.01)
    finally:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    raise AssertionError(f"neither ended nor done: {victim.said()[-2000:]}")


async def _post(both: Pair) -> None:
    if await both.proxy.ready():
        await both.sender.insist(EACH)


async def storm(folder: Path, *, seconds: float = 5.0, seed: int = 1) -> Found:
    """SIGKILL of one or both at any moment, again and again, while a sender posts as fast as it is answered."""
    chance = random.Random(seed)
    async with pair(folder) as both:
        kills = 0
        for child in (both.proxy, both.agent):
            child.start()
        await both.proxy.ready()
        deadline = time.monotonic() + seconds
        async with traffic(both.sender, both.sender, pause=0.002):
            # On a busy machine every life may be too short for a sender's answer: a storm over nothing proves nothing.
            while (now := time.monotonic()) < deadline or (now < deadline + PATIENCE and not both.ledger.accepted):
                await asyncio.sleep(chance.uniform(0.05, 1.2))
                for child in chance.choice(((both.proxy,), (both.agent,), (both.proxy, both.agent))):
                    await child.kill()
                    kills += 1
                    child.start()
        return await both.whole(Found(notes=[f"{kills} kills"]), excused=True)

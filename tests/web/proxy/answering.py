"""An agent of a proxy that judges as ours does: it answers what is asked, and keeps what lands."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.hops.pull_judge import PullJudge
from store.dock import Landed
from tests.web.proxy.kit import Puller, Site
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint
from touchpoints.pull.sealing import wrap_token
from touchpoints.pull.token import new_token, token_digest
from touchpoints.touchpoint import Touchpoint
from web.listener.intake import Perform, not_performed


class Answering:
    """Pulls until it is cancelled."""

    def __init__(self, puller: Puller, perform: Perform, *touchpoints: Touchpoint) -> None:
        self.known = {one.name: one for one in touchpoints}
        self.landed: list[Landed] = []
        self.asked = 0
        self.puller = puller
        self.judge = PullJudge(
            puller.pairing, touchpoints=lambda: self.known, touchpoint_id=self._touchpoint_id, perform=perform
        )

    async def _touchpoint_id(self, _name: str) -> int:
        return 99

    async def run(self) -> None:
        while True:
            await self.step(wait=20)

    async def step(self, *, wait: float = 0.0) -> None:
        """One pull, with all that follows."""
        batch = await self.puller.pull(wait=wait)
        for ask in batch.asks:
            self.asked += 1
            await self.puller.remote.reply(await self.judge.reply(ask, batch.keys))
        if batch.messages:
            self.landed += await self.judge.landed(batch)
            await self.puller.acknowledge()


@asynccontextmanager
async def answering(site: Site, made: Touchpoint, perform: Perform = not_performed) -> AsyncIterator[tuple[Answering, str]]:
    """An agent that has one touchpoint and has declared it; and the endpoint URL."""
    async with answering_all(site, made, perform=perform) as (agent, urls):
        yield agent, urls[made.name]


@asynccontextmanager
async def answering_all(
    site: Site, *touchpoints: Touchpoint, perform: Perform = not_performed
) -> AsyncIterator[tuple[Answering, dict[str, str]]]:
    """An agent that has several, all declared; and their endpoint URLs by name."""
    puller = await site.join(await site.organisation("acme"))
    await declare(puller, *touchpoints)
    agent = Answering(puller, perform, *touchpoints)
    running = asyncio.get_running_loop().create_task(agent.run())
    try:
        yield agent, {one.name: site.url + puller.path(one.name) for one in touchpoints}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def declare(puller: Puller, *touchpoints: Touchpoint) -> None:
    """Take the lease and declare touchpoints as they are, each with a token of its own."""
    await puller.pull()
    await puller.remote.declare(Declaration(touchpoints=tuple(_declared(puller, one) for one in touchpoints)))


def _declared(puller: Puller, touchpoint: Touchpoint) -> DeclaredTouchpoint:
    pairing, name = puller.pairing, touchpoint.name
    token = puller.tokens.setdefault(name, new_token(os.urandom))
    sealed = wrap_token(token, pairing.sealing_key, organisation=pairing.organisation, touchpoint=name)
    return DeclaredTouchpoint(
        name=name,
        state=touchpoint.state.value,
        methods=touchpoint.methods,
        ack=touchpoint.ack,
        handshake=touchpoint.handshake,
        tokens=(DeclaredToken(digest=token_digest(token), sealed=sealed),),
    )

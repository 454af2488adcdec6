"""One agent's pull over a real events file, against a scripted proxy."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.hops.pull import Pull
from appliance.hops.pull_judge import PullJudge
from store.log import Filter
from store.remote import Remote
from store.sqlite.database import AiosqliteDatabase, Open
from store.sqlite.events_file import EventsFile
from tests.appliance.hops.scripted_proxy import ScriptedProxy, pairing
from tests.appliance.stage import UNSIGNED, FakeClock, touchpoint, until_async
from tests.store.make import NOW, opened
from touchpoints.event import Verdict
from touchpoints.pull.message import Batch
from touchpoints.touchpoint import Touchpoint
from web.listener.budget import Budget
from web.listener.judging import NO_KEY_SOURCE, KeySource

ORDERS = touchpoint(1, name="orders", aliases=("old-orders",), verification=UNSIGNED)
_STARTS = itertools.count(1_000, 1_000_000)
LACKED = 99  # the id kept for touchpoints that this agent does not have


class Puller:
    """An agent that pulls. `ran` are the events that entered its inbox, in order."""

    def __init__(
        self,
        file: EventsFile,
        proxy: ScriptedProxy,
        agent: str,
        touchpoints: tuple[Touchpoint, ...],
        published: KeySource = NO_KEY_SOURCE,
    ) -> None:
        self.file = file
        self.budget = Budget(48 * 1024 * 1024)
        self.clock = FakeClock()
        self.trouble = ""
        self.released = 0
        self.told: list[Batch] = []
        self.known = {name: one for one in touchpoints for name in (one.name, *one.aliases)}
        self.client = proxy.client()
        self.pairing = pairing(agent)
        self.pull = Pull(
            remote=Remote(self.client, self.pairing, version="1.2.3", count_from=next(_STARTS)),
            dock=file.dock,
            proxy=self.pairing.id,
            judge=PullJudge(self.pairing, touchpoints=lambda: self.known, touchpoint_id=self._id_of, published=published),
            budget=self.budget,
            clock=self.clock,
            jitter=lambda: -1.0,
            released=self._released,
            trouble=lambda: self.trouble,
            lacking=lambda: (),
            told=self.told.append,
        )
        self._task: asyncio.Task[None] | None = None

    async def _id_of(self, _name: str) -> int:
        return LACKED

    def _released(self, events: int) -> None:
        self.released += events

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.pull.run())

    async def kill(self) -> None:
        """As a crash: nothing is said to the proxy."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def ran(self) -> list[int]:
        return [int(one.event.id) for one in await self.file.inbox.take(limit=10_000)]

    async def stored(self) -> dict[int, tuple[Verdict, str]]:
        listed = await self.file.log.events(Filter(), limit=1000)
        return {int(one.event.id): (one.event.verdict, one.event.reason) for one in listed}

    async def has(self, *numbers: int) -> None:
        """Wait until exactly these are in the inbox, in this order."""

        async def there() -> bool:
            return len(await self.ran()) >= len(numbers)

        await until_async(there)
        assert await self.ran() == list(numbers)


@asynccontextmanager
async def puller(
    folder: Path,
    proxy: ScriptedProxy,
    agent: str = "one",
    *touchpoints: Touchpoint,
    open_database: Open = AiosqliteDatabase.open,
    start: bool = True,
    published: KeySource = NO_KEY_SOURCE,
    **_: Any,
) -> AsyncIterator[Puller]:
    """An agent with a folder of its own; afterwards every byte of its budget is given back."""
    async with opened(folder / f"{agent}.db", open_database, now=NOW) as file:
        made = Puller(file, proxy, agent, touchpoints or (ORDERS,), published)
        if start:
            made.start()
        try:
            yield made
        finally:
            await made.kill()
            await made.client.aclose()
        assert made.budget.used == 0

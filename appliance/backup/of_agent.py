"""What is an agent's own in its backups: what one leaves to a person, and how its files are made ready to be put back."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from appliance.backup.aftermath import Aftermath, restored_up_to
from appliance.backup.archive import Manifest
from appliance.backup.safekeeping import Safekeeping
from appliance.clock import Clock
from appliance.hops.drain import Drain
from appliance.opening import Opened
from store.backup import CONFIGURATION
from store.facts import Facts
from store.inbox import StoreUnavailable
from store.log import Log
from store.settings import Configuration
from store.sqlite.backup import EVENTS, SqliteBackupFiles, hold_what_waits
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
from store.vault import Vault
from touchpoints.problem import Problem, problem
from touchpoints.touchpoint import TouchpointState


class AgentAftermath(Aftermath):
    """Deliveries that waited then, and may have been made since; and what came later, which this agent knows nothing of."""

    def __init__(self, facts: Facts, *, log: Callable[[], Log | None]) -> None:
        super().__init__(facts)
        self._log = log
        self._up_to: int | None = None
        self._held = 0

    async def recall(self) -> None:
        """See Aftermath."""
        self._up_to = await restored_up_to(self._facts)
        await super().recall()

    async def look(self) -> None:
        """Count what is still held of it: by the events' numbers, for it also has what came while it was made."""
        events = self._log()
        if self.moment is None or self._up_to is None or events is None:
            return
        with suppress(StoreUnavailable):
            self._held = await events.count_held(up_to=self._up_to)

    def told(self, moment: str) -> tuple[int, Problem]:
        """See Aftermath."""
        if self._held:
            return self._held, problem("restored", moment=moment, count=self._held)
        return 1, problem("restored_nothing_held", moment=moment)


def agent_safekeeping(opened: Opened, *, configuration: Callable[[], Configuration], clock: Clock) -> Safekeeping:
    """An agent's, over its opened data folder."""

    return Safekeeping(
        opened.folder,
        files=SqliteBackupFiles(),
        facts=opened.configuration,
        people=opened.people,
        aftermath=AgentAftermath(opened.configuration, log=opened.log),
        late=opened.late,
        settings=lambda: configuration().backup,
        floor=lambda: configuration().retention.free_disk,
        clock=clock,
    )


class AgentRestore:
    """See appliance.backup.restore.RoleRestore."""

    files = SqliteBackupFiles()

    async def make_ready(
        self, work: Path, vault: Vault, manifest: Manifest, *, environment: Mapping[str, str], clock: Clock
    ) -> None:
        """What waited when the backup was made may have been delivered since: it is planned, held, and told."""
        path = work / CONFIGURATION
        database = await AiosqliteDatabase.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
        try:
            await database.run(partial(migrate, kind="configuration", path=path, now=clock.now()))
            store = SqliteConfiguration(database, vault, work)
            await _hold(work / EVENTS, await store.load(environment), clock)
            last = await asyncio.to_thread(hold_what_waits, work / EVENTS)
            await store.put_back(of=manifest.made_at, now=clock.now(), up_to=last)
        finally:
            await database.close()


async def _hold(path: Path, configuration: Configuration, clock: Clock) -> None:
    """Plan what was not planned yet, as for touchpoints that are on hold.

    So also what was stored of a proxy and not known to be accepted: it may have been accepted, and run, since.
    """
    held = {one.id: replace(one, state=TouchpointState.HOLD) for one in configuration.touchpoints}
    events = await EventsFile.open(path, AiosqliteDatabase.open, now=clock.now())
    try:
        for berth in await events.dock.berths():
            await events.dock.release(berth.proxy, berth.incarnation, berth.epoch, to=berth.stored)
        drain = Drain(
            inbox=events.inbox,
            outbox=events.outbox,
            touchpoints=lambda: held,
            now=clock.now,
            planned=lambda _destinations: None,
        )
        while await drain.once():
            pass
    finally:
        await events.close()

"""What is an agent's own in its backups: what one leaves to a person, and how its files are made ready to be put back."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from appliance.backup.aftermath import Aftermath, Facts
from appliance.backup.archive import Manifest
from appliance.backup.safekeeping import Safekeeping
from appliance.clock import Clock
from appliance.deeds import Deeds
from appliance.hops.drain import Drain
from appliance.opening import Opened
from appliance.works import Works
from store.backup import CONFIGURATION
from store.inbox import StoreUnavailable
from store.log import Filter
from store.settings import Configuration
from store.sqlite.backup import EVENTS, SqliteBackupFiles, hold_what_waits
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
from store.vault import Vault
from touchpoints.problem import Problem, problem
from touchpoints.touchpoint import TouchpointState

log = structlog.get_logger()


class AgentAftermath(Aftermath):
    """Deliveries that waited then, and may have been made since; and what came later, which this agent knows nothing of."""

    def __init__(self, facts: Facts, *, deeds: Callable[[], Deeds | None]) -> None:
        super().__init__(facts)
        self._deeds = deeds
        self._held = 0

    async def look(self) -> None:
        """Count what is still held of it."""
        deeds = self._deeds()
        if self.moment is None or deeds is None:
            return
        try:
            held = await deeds.do("release", Filter(until=self.moment + 1, state="held", tests=True), dry_run=True)
        except StoreUnavailable:
            return
        self._held = held.changed

    def told(self, moment: str) -> tuple[int, Problem]:
        """See Aftermath."""
        if self._held:
            return self._held, problem("restored", moment=moment, count=self._held)
        return 1, problem("restored_nothing_held", moment=moment)


def agent_safekeeping(
    opened: Opened, *, works: Callable[[], Works | None], configuration: Callable[[], Configuration], clock: Clock
) -> Safekeeping:
    """An agent's, over its opened data folder."""

    def deeds() -> Deeds | None:
        made = works()
        return made.deeds if made else None

    return Safekeeping(
        opened.folder,
        files=SqliteBackupFiles(),
        facts=opened.configuration,
        people=opened.people,
        aftermath=AgentAftermath(opened.configuration, deeds=deeds),
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
            configuration = await store.load(environment)
            await store.put_back(of=manifest.made_at, now=clock.now())
        finally:
            await database.close()
        await _hold(work / EVENTS, configuration, clock)
        await asyncio.to_thread(hold_what_waits, work / EVENTS)


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

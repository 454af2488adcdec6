"""What is a proxy's own in its backups: what one leaves to the operator, and how its files are made ready to be put back."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from appliance.backup.aftermath import Aftermath
from appliance.backup.archive import Manifest
from appliance.backup.safekeeping import Safekeeping
from appliance.clock import Clock
from appliance.ids import new_instance_id
from appliance.proxy.opening import OpenedProxy
from store.backup import CONFIGURATION
from store.facts import Facts
from store.organisations import PairedAgent
from store.settings import BackupSettings
from store.sqlite.backup_queue import QUEUE, SqliteProxyBackupFiles
from store.sqlite.database import PROXY_APPLICATION, AiosqliteDatabase, Opener
from store.sqlite.migrate import migrate
from store.sqlite.queue_file import QueueFile
from store.sqlite.server_configuration import SqliteServerConfiguration
from store.vault import Vault
from touchpoints.problem import Problem, problem
from touchpoints.pull.key import new_signing_key
from web.proxy.directory import Directory


class ProxyAftermath(Aftermath):
    """Agents that may have been revoked since, and organisations that may have been removed: they are back."""

    def __init__(self, facts: Facts, *, directory: Callable[[], Directory]) -> None:
        super().__init__(facts)
        self._directory = directory

    async def look(self) -> None:
        """See Aftermath. The directory is always that of now."""

    def told(self, moment: str) -> tuple[int, Problem]:
        """See Aftermath."""
        directory = self._directory()
        agents = len(list(living(directory.agents.values())))
        return max(1, agents), problem(
            "proxy_put_back", moment=moment, agents=agents, organisations=len(directory.organisations)
        )


def living(agents: Iterable[PairedAgent]) -> Iterable[PairedAgent]:
    """Those whose key opens something."""
    return (agent for agent in agents if agent.state != "revoked")


def proxy_safekeeping(
    opened: OpenedProxy,
    *,
    directory: Callable[[], Directory],
    settings: Callable[[], BackupSettings],
    floor: Callable[[], int],
    clock: Clock,
) -> Safekeeping:
    """A proxy's, over its opened data folder."""
    return Safekeeping(
        opened.folder,
        files=SqliteProxyBackupFiles(),
        facts=opened.configuration,
        people=opened.people,
        aftermath=ProxyAftermath(opened.configuration, directory=directory),
        late=opened.late,
        settings=settings,
        floor=floor,
        clock=clock,
    )


class ProxyRestore:
    """See appliance.backup.restore.RoleRestore."""

    files = SqliteProxyBackupFiles()

    async def make_ready(
        self, work: Path, vault: Vault, manifest: Manifest, *, environment: Mapping[str, str], clock: Clock
    ) -> None:
        """No code of then opens the door any more; every lane goes on as another one, beyond all numbers given since."""
        path = work / CONFIGURATION
        database = await AiosqliteDatabase.open(Opener(path=path, application_id=PROXY_APPLICATION, writer=True))
        try:
            await database.run(partial(migrate, kind="proxy", path=path, now=clock.now()))
            store = SqliteServerConfiguration(database, vault, path)
            await store.load(environment)
            await store.signing_key(new_signing_key(os.urandom))  # agents pin it: a key that does not open it is the wrong one
            await store.put_back(of=manifest.made_at, now=clock.now())
        finally:
            await database.close()
        queue = await QueueFile.open(work / QUEUE, AiosqliteDatabase.open, now=clock.now(), new_id=new_instance_id)
        try:
            await queue.queue.reincarnate_all(new_instance_id, now=clock.now())
        finally:
            await queue.close()

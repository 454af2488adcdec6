"""The opening of a proxy's data folder: its lock, its key, its two files, of which one may come late, and its signing key."""

import os
import sqlite3
from dataclasses import dataclass, field
from functools import partial

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.ids import new_instance_id
from appliance.instance_lock import InstanceLock
from appliance.late_file import LateFile
from appliance.opening import under_lock, vault_of
from store.inbox import StoreUnavailable
from store.sqlite.database import PROXY_APPLICATION, AiosqliteDatabase, Opener, reads_whole
from store.sqlite.door import SqliteDoor
from store.sqlite.instance import make_current, understanding
from store.sqlite.organisations import SqliteOrganisations
from store.sqlite.people import SqlitePeople
from store.sqlite.queue_file import QueueFile
from store.sqlite.server_configuration import SqliteServerConfiguration
from touchpoints.problem import Problem
from touchpoints.pull.key import new_signing_key


@dataclass(slots=True, kw_only=True)
class OpenedProxy:
    """An opened data folder. `queue` is None, and `trouble` says why, while the queue's file cannot be used at all."""

    folder: DataFolder
    lock: InstanceLock
    database: AiosqliteDatabase
    configuration: SqliteServerConfiguration
    organisations: SqliteOrganisations
    people: SqlitePeople
    door: SqliteDoor
    late: LateFile[QueueFile]
    instance: str  # this instance's id
    signing_key: bytes = field(repr=False)  # private Ed25519: agents pin its public half

    @property
    def queue(self) -> QueueFile | None:
        """The queue's file, damaged or not."""
        return self.late.file

    @property
    def trouble(self) -> Problem | None:
        """Why there is no queue's file."""
        return self.late.trouble

    @property
    def usable(self) -> QueueFile | None:
        """The queue's file, unless it is damaged."""
        return self.late.usable

    async def check(self) -> dict[str, bool]:
        """Whether each file reads from end to end; may take a while. Raises StoreUnavailable."""
        if self.late.migrating:
            raise self.late.unavailable()
        queue = self.usable
        try:
            configuration = await self.database.run(reads_whole)
            return {"configuration": configuration, "events": queue is not None and await queue.check()}
        except sqlite3.Error as error:
            raise StoreUnavailable("store_failed") from error

    async def close(self) -> None:
        """Commit what is queued, close both files, give back the lock."""
        try:
            await self.late.close()
            await self.database.close()
        finally:
            self.lock.release()


async def open_proxy_folder(folder: DataFolder, clock: Clock) -> OpenedProxy:
    """Open a data folder, or begin one. Raises AlreadyRunning, and ProblemError for what a person must mend first."""
    return await under_lock(folder, lambda lock: _open_files(folder, lock, clock))


async def _open_files(folder: DataFolder, lock: InstanceLock, clock: Clock) -> OpenedProxy:
    is_new = not folder.configuration.exists()
    vault = vault_of(folder, is_new=is_new, others=(folder.key, folder.queue))
    opener = Opener(
        path=folder.configuration, application_id=PROXY_APPLICATION, writer=True, cache_bytes=1 << 22, checkpoint_pages=1
    )
    database = await AiosqliteDatabase.open(opener)
    try:
        current = partial(make_current, kind="proxy", path=folder.configuration, now=clock.now())
        await database.run(partial(current, keep=folder.configuration_before))
        configuration = SqliteServerConfiguration(database, vault, folder.configuration)
        with understanding(folder.configuration):
            signing_key = await configuration.signing_key(new_signing_key(os.urandom))
            instance = await configuration.instance_id(new_instance_id())
        late = _late_queue(folder, clock)
        await late.look()
    except BaseException:
        await database.close()
        raise
    return OpenedProxy(
        folder=folder,
        lock=lock,
        database=database,
        configuration=configuration,
        organisations=SqliteOrganisations(database, vault, folder.configuration),
        people=SqlitePeople(database),
        door=SqliteDoor(database),
        late=late,
        instance=instance,
        signing_key=signing_key,
    )


def _late_queue(folder: DataFolder, clock: Clock) -> LateFile[QueueFile]:
    """The page and the organisations stand even when the queue's file does not."""

    async def open_file(*, upgrade: bool) -> QueueFile:
        return await QueueFile.open(
            folder.queue, AiosqliteDatabase.open, now=clock.now(), new_id=new_instance_id, upgrade=upgrade
        )

    return LateFile(open_file, clock)

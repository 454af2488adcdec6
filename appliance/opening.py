"""The opening of a data folder: its lock, its key, its two files, of which one may come late."""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from appliance.clock import Clock
from appliance.data_folder import DataFolder, prepare, sweep_spool, unusable
from appliance.instance_lock import InstanceLock
from appliance.late_file import LateFile
from appliance.restore_mark import refuse_marked
from appliance.running import read_running
from store.inbox import StoreUnavailable
from store.log import Log
from store.sqlite.alerts import SqliteAlertMemory
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener, reads_whole
from store.sqlite.door import SqliteDoor
from store.sqlite.events_file import EventsFile
from store.sqlite.instance import make_current
from store.sqlite.old_path import SqliteOldPaths
from store.sqlite.pairing import SqlitePairing
from store.sqlite.people import SqlitePeople
from store.vault import Vault, create_key, open_key
from touchpoints.problem import Problem, ProblemError, problem

T = TypeVar("T")


class AlreadyRunning(ProblemError):
    """Another instance holds the data folder; `page` is where it is, when it told."""

    def __init__(self, folder: DataFolder) -> None:
        running = read_running(folder)
        who = f" (process {running.pid}, page {running.page})" if running else ""
        super().__init__(problem("already_running", folder=folder.path, who=who))
        self.page = running.page if running else ""


@dataclass(slots=True, kw_only=True)
class Opened:
    """An opened data folder. `events` is None, and `trouble` says why, while the events file cannot be used at all."""

    folder: DataFolder
    lock: InstanceLock
    is_new: bool
    database: AiosqliteDatabase
    configuration: SqliteConfiguration
    people: SqlitePeople
    door: SqliteDoor
    alerts: SqliteAlertMemory
    pairings: SqlitePairing
    old_paths: SqliteOldPaths
    late: LateFile[EventsFile]

    @property
    def events(self) -> EventsFile | None:
        """The events file, damaged or not."""
        return self.late.file

    @property
    def trouble(self) -> Problem | None:
        """Why there is no events file."""
        return self.late.trouble

    @property
    def usable(self) -> EventsFile | None:
        """The events file, unless it is damaged."""
        return self.late.usable

    def log(self) -> Log | None:
        """The delivery log, unless the events file cannot be used."""
        events = self.usable
        return events.log if events else None

    def readable(self) -> EventsFile:
        """The events file. Raises StoreUnavailable where it cannot be used."""
        if (events := self.usable) is None:
            raise self.late.unavailable()
        return events

    async def check(self) -> dict[str, bool]:
        """Whether each file reads from end to end; may take a while. Raises StoreUnavailable."""
        if self.late.migrating:
            raise self.late.unavailable()
        events = self.usable
        try:
            configuration = await self.database.run(reads_whole)
            return {"configuration": configuration, "events": events is not None and await events.check()}
        except sqlite3.Error as error:
            raise StoreUnavailable("store_failed") from error

    async def close(self) -> None:
        """Commit what is queued, close both files, give back the lock."""
        try:
            await self.late.close()
            await self.database.close()
        finally:
            self.lock.release()


async def open_folder(folder: DataFolder, clock: Clock) -> Opened:
    """Open a data folder, or begin one. Raises AlreadyRunning, and ProblemError for what a person must mend first."""
    return await under_lock(folder, lambda lock: _open_files(folder, lock, clock))


async def under_lock(folder: DataFolder, open_files: Callable[[InstanceLock], Awaitable[T]]) -> T:
    """Prepare and lock a data folder, then open what is in it. Raises AlreadyRunning and ProblemError."""
    await asyncio.to_thread(prepare, folder)
    lock = InstanceLock(folder.lock)
    try:
        if not lock.acquire():
            raise AlreadyRunning(folder)
        await asyncio.to_thread(sweep_spool, folder)
    except OSError as error:
        lock.release()
        raise unusable(folder, error) from error
    try:
        return await open_files(lock)
    except BaseException:
        lock.release()
        raise


async def _open_files(folder: DataFolder, lock: InstanceLock, clock: Clock) -> Opened:
    is_new = not folder.configuration.exists()
    vault = vault_of(folder, is_new=is_new, others=(folder.key, folder.events))
    opener = Opener(
        path=folder.configuration,
        application_id=CONFIGURATION_APPLICATION,
        writer=True,
        cache_bytes=1 << 20,
        checkpoint_pages=1,
    )
    database = await AiosqliteDatabase.open(opener)
    try:
        current = partial(make_current, kind="configuration", path=folder.configuration, now=clock.now())
        await database.run(partial(current, keep=folder.configuration_before))
        late = _late_events(folder, clock)
        await late.look()
    except BaseException:
        await database.close()
        raise
    return Opened(
        folder=folder,
        lock=lock,
        is_new=is_new,
        database=database,
        configuration=SqliteConfiguration(database, vault, folder.path),
        people=SqlitePeople(database),
        door=SqliteDoor(database),
        alerts=SqliteAlertMemory(database),
        pairings=SqlitePairing(database, vault),
        old_paths=SqliteOldPaths(database),
        late=late,
    )


def vault_of(folder: DataFolder, *, is_new: bool, others: tuple[Path, ...]) -> Vault:
    """The key is made for a new folder only: a lost configuration, or a lost key, is for a person to put back.

    So is what a restore that was broken off left: both roles ask here first, before they make or open anything.
    """
    refuse_marked(folder)
    if not is_new:
        return open_key(folder.key)
    for left in others:
        if left.exists():
            raise ProblemError(problem("configuration_missing", folder=folder.path, what=left.name))
    return create_key(folder.key, os.urandom)


def _late_events(folder: DataFolder, clock: Clock) -> LateFile[EventsFile]:
    """The page and the touchpoints stand even when the events file does not."""

    async def open_file(*, upgrade: bool) -> EventsFile:
        return await EventsFile.open(folder.events, AiosqliteDatabase.open, now=clock.now(), upgrade=upgrade)

    return LateFile(open_file, clock)

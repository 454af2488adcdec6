"""The opening of a data folder: its lock, its key, its two files."""

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
from appliance.running import read_running
from store.inbox import StoreUnavailable
from store.log import Log
from store.sqlite.alerts import SqliteAlertMemory
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener, reads_whole
from store.sqlite.door import SqliteDoor
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
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
    """An opened data folder. `events` is None, and `trouble` says why, when the events file cannot be used at all."""

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
    events: EventsFile | None
    trouble: Problem | None

    @property
    def usable(self) -> EventsFile | None:
        """The events file, unless it is damaged."""
        return self.events if self.events is not None and self.events.state != "corrupt" else None

    def log(self) -> Log | None:
        """The delivery log, unless the events file cannot be used."""
        events = self.usable
        return events.log if events else None

    def readable(self) -> EventsFile:
        """The events file. Raises StoreUnavailable(store_corrupt) where it cannot be used."""
        if (events := self.usable) is None:
            raise StoreUnavailable("store_corrupt")
        return events

    async def open_events(self, clock: Clock) -> bool:
        """Try again to open an events file that could not be opened; whether it is there now, and was not before."""
        if self.events is None:
            self.events, self.trouble = await _open_events(self.folder, clock)
            return self.events is not None
        return False

    async def check(self) -> dict[str, bool]:
        """Whether each file reads from end to end; may take a while. Raises StoreUnavailable."""
        events = self.usable
        try:
            configuration = await self.database.run(reads_whole)
            return {"configuration": configuration, "events": events is not None and await events.check()}
        except sqlite3.Error as error:
            raise StoreUnavailable("store_failed") from error

    async def close(self) -> None:
        """Commit what is queued, close both files, give back the lock."""
        try:
            if self.events is not None:
                await self.events.close()
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
        await database.run(partial(migrate, kind="configuration", path=folder.configuration, now=clock.now()))
        events, trouble = await _open_events(folder, clock)
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
        events=events,
        trouble=trouble,
    )


def vault_of(folder: DataFolder, *, is_new: bool, others: tuple[Path, ...]) -> Vault:
    """The key is made for a new folder only: a lost configuration, or a lost key, is for a person to put back."""
    if not is_new:
        return open_key(folder.key)
    for left in others:
        if left.exists():
            raise ProblemError(problem("configuration_missing", folder=folder.path, what=left.name))
    return create_key(folder.key, os.urandom)


async def _open_events(folder: DataFolder, clock: Clock) -> tuple[EventsFile | None, Problem | None]:
    """The page and the touchpoints stand even when the events file does not."""
    try:
        return await EventsFile.open(folder.events, AiosqliteDatabase.open, now=clock.now()), None
    except ProblemError as error:
        if error.problems[0].code == "store_newer":
            raise
        return None, error.problems[0]

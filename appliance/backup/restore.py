"""Putting a backup back into a stopped agent's folder. Nothing that is there is deleted: it is moved aside."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from appliance.backup.aftermath import RESTORED
from appliance.backup.archive import CONFIGURATION, EVENTS, Manifest, read_key, read_manifest, unpack
from appliance.clock import Clock
from appliance.data_folder import DataFolder, unusable
from appliance.hops.drain import Drain
from appliance.instance_lock import InstanceLock
from appliance.opening import AlreadyRunning, under_lock
from store.backup import BackupFiles
from store.settings import Configuration
from store.sqlite.configuration import SqliteConfiguration
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Opener
from store.sqlite.events_file import EventsFile
from store.sqlite.migrate import migrate
from store.vault import Vault, read_key_file, write_key_file
from touchpoints.moment import rfc3339
from touchpoints.problem import ProblemError, problem
from touchpoints.touchpoint import TouchpointState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to put back, and how its key is had: from an old key file, or by the passphrase; neither where ours is the one."""

    archive: Path
    key_file: Path | None = None
    passphrase: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put back. `aside` are the names of what stood there before."""

    manifest: Manifest
    aside: tuple[str, ...]


async def restore(
    folder: DataFolder,
    wanted: Wanted,
    *,
    files: BackupFiles,
    environment: Mapping[str, str],
    clock: Clock,
    told: Callable[[int], None],
) -> Restored:
    """Check everything first, hold what waited, then put the files in their places; `told` hears how many bytes.

    Raises ProblemError, and then the folder is as it was; a process killed between two renames leaves both halves in the
    folder, and the same command ends it. Raises `restore_running` where an agent runs.
    """

    async def put_back(lock: InstanceLock) -> Restored:
        work = folder.spool / "restore"
        try:
            work.mkdir()
            manifest = await asyncio.to_thread(unpack, wanted.archive, work, told=told)
            await asyncio.to_thread(files.try_restore, work / CONFIGURATION, work / EVENTS, now=clock.now())
            key = await asyncio.to_thread(_key, folder, wanted, manifest)
            await _make_ready(work, key, wanted, manifest, files=files, environment=environment, clock=clock)
            return Restored(manifest=manifest, aside=await asyncio.to_thread(_exchange, folder, work, key, clock))
        except OSError as error:
            raise unusable(folder, error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
            lock.release()

    await asyncio.to_thread(read_manifest, wanted.archive)
    if folder.is_proxy:
        raise ProblemError(problem("backup_unreadable", file=wanted.archive, why="it is an agent's, and this a proxy's folder"))
    try:
        return await under_lock(folder, put_back)
    except AlreadyRunning:
        raise ProblemError(problem("restore_running")) from None


def _key(folder: DataFolder, wanted: Wanted, manifest: Manifest) -> bytes:
    """The key the backup's secrets are sealed with; which one it is, is checked against the configuration later."""
    if wanted.key_file is not None:
        return read_key_file(wanted.key_file)
    if wanted.passphrase:
        return read_key(wanted.archive, wanted.passphrase)
    if folder.key.exists():
        return read_key_file(folder.key)
    raise ProblemError(problem("backup_key_needed" if manifest.with_key else "backup_without_key"))


async def _make_ready(
    work: Path,
    key: bytes,
    wanted: Wanted,
    manifest: Manifest,
    *,
    files: BackupFiles,
    environment: Mapping[str, str],
    clock: Clock,
) -> None:
    """What waited when the backup was made may have been delivered since: it is planned, held, and told."""
    opener = Opener(path=work / CONFIGURATION, application_id=CONFIGURATION_APPLICATION, writer=True)
    database = await AiosqliteDatabase.open(opener)
    try:
        await database.run(partial(migrate, kind="configuration", path=work / CONFIGURATION, now=clock.now()))
        store = SqliteConfiguration(database, Vault(key), work)
        try:
            configuration = await store.load(environment)
        except ProblemError as error:
            if error.problems[0].code != "key_wrong":
                raise
            own = wanted.key_file is None and not wanted.passphrase
            raise ProblemError(problem("backup_key_needed" if own and manifest.with_key else "backup_key_wrong")) from None
        await store.keep_fact(RESTORED, str(manifest.made_at))
    finally:
        await database.close()
    await _hold(work / EVENTS, configuration, clock)
    await asyncio.to_thread(files.waits_until, work / EVENTS)


async def _hold(path: Path, configuration: Configuration, clock: Clock) -> None:
    """Plan what was not planned yet, as for touchpoints that are on hold."""
    held = {one.id: replace(one, state=TouchpointState.HOLD) for one in configuration.touchpoints}
    events = await EventsFile.open(path, AiosqliteDatabase.open, now=clock.now())
    try:
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


def _exchange(folder: DataFolder, work: Path, key: bytes, clock: Clock) -> tuple[str, ...]:
    stamp = rfc3339(clock.now()).translate(str.maketrans("", "", "-:."))
    aside = []
    for path in (folder.events, folder.configuration, folder.key):
        for suffix in ("", "-wal", "-shm"):
            source = path.with_name(path.name + suffix)
            if source.exists() and not (path == folder.key and read_key_file(path) == key):
                target = path.with_name(f"{path.stem}.before-restore-{stamp}{path.suffix}{suffix}")
                source.rename(target)
                aside.append(target.name)
    if not folder.key.exists():
        write_key_file(folder.key, key)
    folder.configuration_before.unlink(missing_ok=True)  # of another past
    (work / EVENTS).rename(folder.events)
    (work / CONFIGURATION).rename(folder.configuration)
    return tuple(aside)

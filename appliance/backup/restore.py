"""Putting a backup back into a stopped process's folder. Nothing that is there is deleted: it is moved aside."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.backup.archive import Manifest, read_key, read_manifest, unpack
from appliance.backup.exchange import Exchange
from appliance.clock import Clock
from appliance.data_folder import DataFolder, unusable
from appliance.instance_lock import InstanceLock
from appliance.opening import AlreadyRunning, under_lock
from appliance.restore_mark import refuse_marked
from store.backup import BackupFiles
from store.inbox import StoreUnavailable
from store.vault import Vault, read_key_file
from touchpoints.problem import Problem, ProblemError, problem


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


class RoleRestore(Protocol):
    """What is a role's own in putting a backup back."""

    @property
    def files(self) -> BackupFiles:
        """Its files."""

    async def make_ready(
        self, work: Path, vault: Vault, manifest: Manifest, *, environment: Mapping[str, str], clock: Clock
    ) -> None:
        """Make unpacked and checked files ready to be run by.

        Raises ProblemError: key_wrong, and what a start may raise; and StoreUnavailable where the disk takes nothing.
        """


async def restore(
    folder: DataFolder,
    wanted: Wanted,
    role: RoleRestore,
    *,
    environment: Mapping[str, str],
    clock: Clock,
    told: Callable[[int], None],
) -> Restored:
    """Check everything first, make it ready, then put the files in their places; `told` hears how many bytes.

    Raises ProblemError, and then the folder is as it was; or, where the disk refused in the midst of the exchange or the
    process was killed, it is marked as unfinished: nothing starts on it, and the same command ends it. Raises
    `restore_running` where a process runs, `backup_of_agent` and `backup_of_proxy` for one of the other role, and
    `restore_unfinished` where one of the other role is under way.
    """

    async def put_back(lock: InstanceLock) -> Restored:
        work = folder.spool / "restore"
        try:
            refuse_marked(folder, role=role.files.role)
            work.mkdir()
            manifest = await asyncio.to_thread(unpack, wanted.archive, work, told=told)
            await asyncio.to_thread(role.files.try_restore, work, now=clock.now())
            key = await asyncio.to_thread(_key, folder, wanted, manifest)
            await _make_ready(role, work, key, wanted, manifest, environment=environment, clock=clock)
            exchange = Exchange(folder=folder, work=work, role=manifest.role, key=key)
            # Not in a thread: who is interrupted would take the files away, and the lock, under what is moving them.
            return Restored(manifest=manifest, aside=exchange.make(clock.now()))
        except OSError as error:
            raise ProblemError(*unusable(folder, error).problems, *_unfinished(folder)) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
            lock.release()

    found = (await asyncio.to_thread(read_manifest, wanted.archive)).role
    if found != role.files.role:
        raise ProblemError(problem("backup_of_agent" if found == "agent" else "backup_of_proxy", file=wanted.archive))
    try:
        return await under_lock(folder, put_back)
    except AlreadyRunning:
        raise ProblemError(problem("restore_running")) from None


def _unfinished(folder: DataFolder) -> tuple[Problem, ...]:
    """What ends it, where the exchange has begun: mending what the disk refused is not enough then."""
    try:
        refuse_marked(folder)
    except ProblemError as error:
        return error.problems
    return ()


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
    role: RoleRestore,
    work: Path,
    key: bytes,
    wanted: Wanted,
    manifest: Manifest,
    *,
    environment: Mapping[str, str],
    clock: Clock,
) -> None:
    try:
        await role.make_ready(work, Vault(key), manifest, environment=environment, clock=clock)
    except StoreUnavailable as error:
        raise ProblemError(error.why or problem(error.code, path=str(work), error="")) from error
    except ProblemError as error:
        if error.problems[0].code != "key_wrong":
            raise
        own = wanted.key_file is None and not wanted.passphrase
        raise ProblemError(problem("backup_key_needed" if own and manifest.with_key else "backup_key_wrong")) from None

"""Safekeeping: a data folder's backups, also before an upgrade, and what one that was put back leaves to do; either role."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import structlog

from appliance.backup.aftermath import Aftermath
from appliance.backup.backups import HALTED, Backups
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.late_file import LateFile
from appliance.needs import Need
from store.backup import BackupFiles
from store.configuration import Actor
from store.facts import Facts
from store.people import AuditLine, People
from store.settings import BackupSettings
from touchpoints.moment import rfc3339
from touchpoints.problem import ProblemError

log = structlog.get_logger()

Json = dict[str, Any]

_BACKED_UP = "backed_up_before"  # the fact that tells before which upgrade of the events a backup was last tried


class Safekeeping:
    """Both, over an opened data folder. Every deed is written into the audit log. See web.safekeeping.Safekeeping."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        files: BackupFiles,
        facts: Facts,
        people: People,
        aftermath: Aftermath,
        late: LateFile[Any],
        settings: Callable[[], BackupSettings],
        floor: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._instance = ""
        self._folder = folder
        self._late = late
        self._settings = settings
        self._facts = facts
        self._people = people
        self._clock = clock
        self.backups = Backups(
            folder,
            files=files,
            settings=settings,
            floor=floor,
            instance=lambda: self._instance,
            chance=os.urandom,
            clock=clock,
        )
        self._aftermath = aftermath

    @property
    def chores(self) -> Sequence[tuple[float, Callable[[], Awaitable[None]], str]]:
        """What is to be run, and how often."""
        return ((300.0, self.backups.when_due, "backup"), (30.0, self._aftermath.look, "what a backup left"))

    @property
    def unseen(self) -> bool:
        """Whether a backup was put back, and nobody has looked at what that left."""
        return self._aftermath.moment is not None

    @property
    def owes_one(self) -> bool:
        """Whether the configuration was brought up to date, and no backup of all as it was has been made yet."""
        return self._folder.configuration_before.exists()

    async def before_upgrade(self) -> None:
        """Back up all as it was, once for each upgrade, however often that begins. Where none can be made, it is told, and that
        is all: an upgrade that waited for room would keep senders waiting. Raises ProblemError where a fact cannot be kept, and
        where it was broken off."""
        before, upgrade = self._folder.configuration_before, self._upgrade()
        if not self.owes_one and (not upgrade or await self._facts.fact(_BACKED_UP) == upgrade):
            return
        if self._settings().at:
            try:
                await self.backups.make(before if self.owes_one else None)
            except ProblemError as error:
                if error.problems[0].code == HALTED:
                    raise  # the upgrade begins at the next start, with its backup
                log.warning("no_backup_before_upgrade", problem=str(error.problems[0]))
        if upgrade:
            await self._facts.keep_fact(_BACKED_UP, upgrade)
        before.unlink(missing_ok=True)

    async def close(self) -> None:
        """Break off a backup that is being made, and wait until nothing of it is left."""
        await self.backups.close()

    async def recall(self) -> None:
        """Learn whose backups these are, and what was put back before this start. Raises ProblemError."""
        self._instance = await self._facts.fact("id")
        await self._aftermath.recall()

    def needs(self) -> Iterator[Need]:
        """What needs a person."""
        if self.backups.trouble is not None:
            yield Need(problem=self.backups.trouble)
        yield from self._aftermath.needs()

    async def told(self) -> Json:
        """See web.safekeeping.Safekeeping."""
        kept = await asyncio.to_thread(self.backups.kept)
        trouble, moment = self.backups.trouble, self._aftermath.moment
        return {
            "backups": [one.as_json() for one in kept],
            "trouble": str(trouble) if trouble else None,
            "restored": None if moment is None else rfc3339(moment),
        }

    async def make(self, *, actor: Actor) -> Json:
        """See web.safekeeping.Safekeeping."""
        made, manifest = await self.backups.make()
        await self._note(actor, "backup.make", made.path.name)
        return made.as_json() | manifest.told()

    async def looked(self, *, actor: Actor) -> Json:
        """See web.safekeeping.Safekeeping."""
        if (moment := self._aftermath.moment) is not None:
            await self._aftermath.looked()
            await self._note(actor, "backup.looked", rfc3339(moment))
        return await self.told()

    def _upgrade(self) -> str:
        """From which file version of the events to which; empty: it is no older one."""
        trouble = self._late.trouble if self._late.migrating else None
        return f"{trouble.values['found']}-{trouble.values['known']}" if trouble else ""

    async def _note(self, actor: Actor, action: str, detail: str) -> None:
        await self._people.audit(AuditLine(at=self._clock.now(), actor=actor.name, action=action, detail=detail))

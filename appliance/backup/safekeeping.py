"""Safekeeping: an agent's backups, the one before an upgrade, and what one that was put back leaves to do."""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog

from appliance.backup.aftermath import Aftermath
from appliance.backup.backups import Backups
from appliance.clock import Clock
from appliance.deeds import Deeds
from appliance.needs import Need
from appliance.opening import Opened
from store.settings import BackupSettings
from store.sqlite.backup import SqliteBackupFiles
from touchpoints.problem import ProblemError

log = structlog.get_logger()

_BACKED_UP = "backed_up_before"  # the fact that tells before which upgrade of the events a backup was last tried


class Safekeeping:
    """Both, over an opened data folder."""

    def __init__(
        self,
        opened: Opened,
        *,
        settings: Callable[[], BackupSettings],
        deeds: Callable[[], Deeds | None],
        clock: Clock,
    ) -> None:
        self._instance = ""
        self._opened = opened
        self._settings = settings
        self._facts = opened.configuration
        self.backups = Backups(
            opened.folder,
            files=SqliteBackupFiles(),
            settings=settings,
            instance=lambda: self._instance,
            chance=os.urandom,
            clock=clock,
        )
        self._aftermath = Aftermath(opened.configuration, deeds=deeds)

    @property
    def chores(self) -> Sequence[tuple[float, Callable[[], Awaitable[None]], str]]:
        """What is to be run, and how often."""
        return ((300.0, self.backups.when_due, "backup"), (30.0, self._aftermath.look, "what a backup left"))

    @property
    def owes_one(self) -> bool:
        """Whether the configuration was brought up to date, and no backup of all as it was has been made yet."""
        return self._opened.folder.configuration_before.exists()

    async def before_upgrade(self) -> None:
        """Back up all as it was, once for each upgrade, however often that begins. Where none can be made, it is told, and that
        is all: an upgrade that waited for room would keep senders waiting. Raises ProblemError where a fact cannot be kept."""
        before, upgrade = self._opened.folder.configuration_before, self._upgrade()
        if not self.owes_one and (not upgrade or await self._facts.fact(_BACKED_UP) == upgrade):
            return
        if self._settings().at:
            try:
                await self.backups.make(before if self.owes_one else None)
            except ProblemError as error:
                log.warning("no_backup_before_upgrade", problem=str(error.problems[0]))
        if upgrade:
            await self._facts.keep_fact(_BACKED_UP, upgrade)
        before.unlink(missing_ok=True)

    def _upgrade(self) -> str:
        """From which file version of the events to which; empty: it is no older one."""
        late = self._opened.late
        return f"{late.trouble.values['found']}-{late.trouble.values['known']}" if late.trouble and late.migrating else ""

    async def recall(self) -> None:
        """Learn whose backups these are, and what was put back before this start. Raises ProblemError."""
        self._instance = await self._facts.fact("id")
        await self._aftermath.recall()

    def needs(self) -> Iterator[Need]:
        """What needs a person."""
        if self.backups.trouble is not None:
            yield Need(problem=self.backups.trouble)
        yield from self._aftermath.needs()

"""Safekeeping: an agent's backups, and what one that was put back leaves to do."""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence

from appliance.backup.aftermath import Aftermath
from appliance.backup.backups import Backups
from appliance.clock import Clock
from appliance.deeds import Deeds
from appliance.needs import Need
from appliance.opening import Opened
from store.settings import BackupSettings
from store.sqlite.backup import SqliteBackupFiles


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

    async def recall(self) -> None:
        """Learn whose backups these are, and what was put back before this start. Raises ProblemError."""
        self._instance = await self._facts.fact("id")
        await self._aftermath.recall()

    def needs(self) -> Iterator[Need]:
        """What needs a person."""
        if self.backups.trouble is not None:
            yield Need(problem=self.backups.trouble)
        yield from self._aftermath.needs()

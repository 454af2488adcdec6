"""The agent as a process runs it."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from appliance.agent import Agent
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.look_through import LookThrough
from appliance.needs import Need
from appliance.opening import Opened, open_folder
from appliance.role import Kind
from store.configuration import Actor, Document
from store.settings import PageSettings
from store.sqlite.instance import understanding
from touchpoints.problem import Problem
from web.listener.certificate import Certificate

log = structlog.get_logger()


class AgentRole(Agent):
    """See appliance.role.Role."""

    def __init__(self, opened: Opened, *, environment: Mapping[str, str], clock: Clock, redactor: Redactor) -> None:
        super().__init__(opened, environment=environment, clock=clock, redactor=redactor)
        self.look_through = LookThrough(file=lambda: opened.usable, facts=opened.configuration, clock=clock)

    @property
    def opened(self) -> Opened:
        """See Role."""
        return self._opened

    @property
    def page_settings(self) -> PageSettings:
        """See Role."""
        return self.configuration.page

    async def load(self) -> None:
        """See Role."""
        with understanding(self.opened.folder.configuration):
            await super().load()

    async def start(self) -> None:
        """See Role."""
        await super().start()
        self._schedule.every(10.0, self.open_late, name="events file")
        for seconds, chore, name in self.look_through.chores:
            self._schedule.every(seconds, chore, name=name)
        if self.opened.late.migrating or self._safekeeping.owes_one:
            self._tasks.spawn(self.catch_up(), name="upgrade")

    async def catch_up(self) -> None:
        """See Role."""
        if self.opened.late.migrating:
            await self.open_late()
        else:
            await self._safekeeping.before_upgrade()

    async def open_late(self) -> None:
        """A disk that failed when the process began may be well again, or an older file is brought up to date: then events are
        taken in and carried on."""
        if await self.opened.late.open(self._safekeeping.before_upgrade):
            log.warning("events_opened_late")
            self._works = self._make_works()
        if self.page is None or self._works is None or not self._works.usable:
            return
        if self._works.begun:
            await self._works.holds.catch_up()
        else:
            await self._works.begin()

    def _warnings(self) -> Iterable[Need]:
        yield from super()._warnings()
        yield from (Need(problem=found) for found in self.look_through.needs())

    @property
    def blank(self) -> bool:
        """See Role."""
        return not self.configuration.touchpoints and self.configuration.agent.mode is None

    def serve_page_with(self, certificate: Certificate) -> None:
        """See Role."""
        self.page_certificate.current = certificate

    async def last_applied(self) -> str:
        """See Role."""
        return await self._opened.configuration.last_applied()

    async def apply(self, document: Document, *, base: str, digest: str, actor: Actor) -> tuple[Problem, ...]:
        """See Role."""
        applied = await self.control.apply(document, base=base, digest=digest, prune=False, dry_run=False, actor=actor)
        return applied.problems

    async def break_off(self) -> None:
        """See Role."""
        await self._safekeeping.close()

    def told(self) -> Sequence[tuple[str, str]]:
        """See Role."""
        mode = self.configuration.agent.mode or "not chosen yet (on the page, or by mode in [agent] of a configuration file)"
        listening = self.direct.address or self.direct.error or "not listening"
        return (("listener", listening), ("page", self.page or ""), ("mode", mode))


async def open_agent(folder: DataFolder, clock: Clock, environment: Mapping[str, str], redactor: Redactor) -> AgentRole:
    """The agent over a folder, not loaded yet. Raises AlreadyRunning and ProblemError."""
    opened = await open_folder(folder, clock)
    return AgentRole(opened, environment=environment, clock=clock, redactor=redactor)


AGENT = Kind(name="agent", folder="hookport", port=8421, open=open_agent)

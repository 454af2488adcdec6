"""The agent: everything of the appliance on a client's server, wired together."""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from appliance import VERSION
from appliance.chance import new_token
from appliance.clock import Clock
from appliance.clock_watch import ClockWatch
from appliance.control import Control
from appliance.direct_path import DirectPath
from appliance.endpoints import directory_of
from appliance.floor import Floor
from appliance.ids import new_id
from appliance.logs import Redactor
from appliance.needs import Need
from appliance.opening import Opened
from appliance.refusals import Refusals
from appliance.running import digest
from appliance.schedule import Schedule
from appliance.status import Status
from appliance.tasks import Tasks
from appliance.works import Surroundings, Works
from store.inbox import Inbox, StoreUnavailable
from store.log import Log
from store.settings import Configuration, shares
from store.sqlite.database import reads_whole
from touchpoints.moment import DAY, MINUTE, Micros, rfc3339
from touchpoints.problem import Problem, ProblemError, problem
from web.api.app import make_api
from web.api.desk import Desk
from web.listener.app import make_app
from web.listener.budget import Budget
from web.listener.endpoint import Directory
from web.listener.intake import Intake
from web.listener.proxies import TrustedProxies

log = structlog.get_logger()

CERTIFICATE_WARNING = 30 * DAY


class Agent:
    """The appliance over one opened data folder: `start` makes it live; without that it only answers commands."""

    def __init__(self, opened: Opened, *, environment: Mapping[str, str], clock: Clock, redactor: Redactor) -> None:
        self.machine_token = new_token()
        self.page: str | None = None  # the page's address while the process runs
        self.not_applied: tuple[Problem, ...] = ()  # what is wrong with --config, while the stored configuration runs
        self._opened = opened
        self._environment = environment
        self._clock = clock
        self._redactor = redactor
        self._configuration = Configuration()
        self._directory = Directory(endpoints={})
        self._trusted = TrustedProxies()
        # Apart, so that no sender, however slow, can keep deliveries from the memory they need.
        self._arriving, self._leaving = (Budget(size) for size in shares(self._configuration.limits.buffers))
        self._tasks = Tasks()
        self._schedule = Schedule()
        self._refusals = Refusals(now=clock.now)
        self._pruning = asyncio.Lock()
        self._made_room_at = -MINUTE
        self._clock_watch = ClockWatch(clock, jumped=self._clock_jumped)
        self._floor = Floor(
            opened.folder.path,
            free_disk=lambda: self._configuration.retention.free_disk,
            limit=lambda: self._configuration.retention.size,
            stored=lambda: _size(opened),
        )
        self.direct = DirectPath(make_app(self._intake()), trusted=self._trusts)
        self._works = self._make_works()
        self.control = self._make_control()
        self.api = make_api(self._desk(), version=VERSION)

    @property
    def configuration(self) -> Configuration:
        """What runs now."""
        return self._configuration

    async def load(self) -> None:
        """Take up the stored configuration. Raises ProblemError."""
        self._adopt(await self._opened.configuration.load(self._environment))

    async def start(self) -> None:
        """Deliver, drain, listen, and keep house."""
        self._floor.look()
        if self._works is not None and self._works.usable:
            await self._works.start()
        await self.direct.start(self._configuration.agent)
        self._tasks.spawn(self._clock_watch.run(), name="clock")
        self._keep_house()

    async def stop(self, *, grace: float) -> None:
        """Accept nothing more, let requests and attempts under way end within `grace` seconds. The folder stays open."""
        self._schedule.stop()
        await self.direct.close(grace=grace / 2)
        if self._works is not None:
            await self._works.close(grace=grace / 2)
            await self._refusals.flush(self._works.events.inbox)
        await self._tasks.end()

    def _keep_house(self) -> None:
        for seconds, chore, name in (
            (5.0, self._swing, "safety net"),
            (5.0, self._look_at_floor, "floor"),
            (5.0, self._flush_refusals, "refusals"),
            (10.0, self.direct.watch, "direct path"),
            (600.0, self._retain, "retention"),
        ):
            self._schedule.every(seconds, chore, name=name)
        self._schedule.start()

    async def _swing(self) -> None:
        if self._works is not None:
            self._works.wake()

    async def _look_at_floor(self) -> None:
        await asyncio.to_thread(self._floor.look)
        now = self._clock.steady()
        if self._floor.nearly_full and now - self._made_room_at > MINUTE:
            self._made_room_at = now
            await self._prune(by_age=False)
            await asyncio.to_thread(self._floor.look)

    async def _flush_refusals(self) -> None:
        if self._works is not None:
            await self._refusals.flush(self._works.events.inbox)

    async def _retain(self) -> None:
        """Nothing goes by its age until the clock has been believable for an hour."""
        if self._clock_watch.calm:
            await self._prune(by_age=True)

    async def _prune(self, *, by_age: bool) -> None:
        if self._works is None or not self._works.usable or self._pruning.locked():
            return
        async with self._pruning:
            retention = self._works.events.retention
            pruned = await retention.prune(self._configuration.retention, now=self._clock.now(), by_age=by_age)
        if pruned.bodies or pruned.events or pruned.refused:
            log.info("pruned", bodies=pruned.bodies, events=pruned.events, refused=pruned.refused)

    def _clock_jumped(self, moved: Micros) -> None:
        self._schedule.reschedule()
        if self._works is not None and self._works.usable:
            self._tasks.spawn(self._works.clock_jumped(moved), name="clock jumped")

    def _adopt(self, configuration: Configuration) -> None:
        """Everything below reads these snapshots: they are replaced together, so that nobody sees half a change."""
        self._redactor.follow(configuration)
        self._configuration = configuration
        self._directory = directory_of(configuration)
        self._trusted = TrustedProxies(configuration.agent.trusted_proxies)
        for budget, size in zip((self._arriving, self._leaving), shares(configuration.limits.buffers), strict=True):
            budget.resize(size)

    async def _follow(self, configuration: Configuration) -> None:
        before = self._configuration
        self._adopt(configuration)
        self.not_applied = ()
        if self.page is not None and self._works is not None and self._works.usable:
            await self._works.follow(before)

    async def _rebind(self, configuration: Configuration) -> None:
        if self.page is not None:
            await self.direct.follow(configuration.agent)

    async def _start_empty(self) -> None:
        """Begin with an empty events file; the damaged one stays beside it."""
        if self._works is None or self._works.usable:
            raise ProblemError(problem("events_file_usable"))
        await self._works.close(grace=0)
        await self._works.events.start_empty(now=self._clock.now())
        if self.page is not None:
            await self._works.start()

    async def _check(self) -> dict[str, bool]:
        """Whether each file reads from end to end; may take a while."""
        events = self._works.events if self._works is not None and self._works.usable else None
        try:
            configuration = await self._opened.database.run(reads_whole)
            return {"configuration": configuration, "events": events is not None and await events.check()}
        except sqlite3.Error as error:
            raise StoreUnavailable("store_failed") from error

    def _trusts(self, address: str) -> bool:
        return self._trusted.trusts(address)

    def _inbox(self) -> Inbox | None:
        if self._works is None or self._floor.trouble is not None:
            return None
        return self._works.events.inbox

    def _arrived(self) -> None:
        if self._works is not None:
            self._works.drain.pace.wake()

    def _log(self) -> Log | None:
        return None if self._works is None or not self._works.usable else self._works.events.log

    def _log_or_unavailable(self) -> Log:
        found = self._log()
        if found is None:
            raise StoreUnavailable("store_corrupt")
        return found

    def _warnings(self) -> Iterable[Need]:
        """What needs a person beside touchpoints and destinations."""
        events = self._works.events if self._works else None
        if trouble := self._opened.trouble or (events.problem if events else None):
            yield Need(problem=problem("events_store_down", why=trouble.text, mend=trouble.mend))
        if self._floor.trouble is not None:
            yield Need(problem=self._floor.trouble)
        if self.not_applied:
            words = problem("config_not_applied", errors=" ".join(str(one) for one in self.not_applied[:3]))
            yield Need(problem=words, count=len(self.not_applied))
        for warning in self._configuration.warnings:
            yield Need(problem=warning)
        ends = self.direct.certificate_ends
        if ends is not None and ends - self._clock.now() < CERTIFICATE_WARNING:
            yield Need(problem=problem("certificate_expires", day=rfc3339(ends)[:10]))

    def _intake(self) -> Intake:
        return Intake(
            directory=lambda: self._directory,
            inbox=self._inbox,
            limits=lambda: self._configuration.limits,
            trusted_proxies=lambda: self._trusted,
            budget=self._arriving,
            now=self._clock.now,
            new_id=new_id,
            arrived=self._arrived,
            refused=self._refusals.note,
        )

    def _make_works(self) -> Works | None:
        if self._opened.events is None:
            return None
        around = Surroundings(
            configuration=lambda: self._configuration,
            directory=lambda: self._directory,
            budget=self._leaving,
            clock=self._clock,
            environment=self._environment,
            tasks=self._tasks,
        )
        return Works(self._opened.events, around)

    def _make_control(self) -> Control:
        status = Status(
            data_dir=self._opened.folder.path,
            page=lambda: self.page,
            configuration=lambda: self._configuration,
            log=self._log,
            direct=self.direct,
            drain=lambda: self._works.drain if self._works else None,
            lanes=lambda: self._works.lanes if self._works else None,
            warnings=self._warnings,
            now=self._clock.now,
        )
        return Control(
            store=self._opened.configuration,
            people=self._opened.people,
            log=self._log,
            deeds=lambda: self._works.deeds if self._works else None,
            rehearsal=lambda: self._works.rehearsal if self._works else None,
            status=status,
            configuration=lambda: self._configuration,
            environment=self._environment,
            rebind=self._rebind,
            follow=self._follow,
            health=lambda: self._works.lanes.health() if self._works else {},
            check=self._check,
            start_empty=self._start_empty,
            wake=lambda: self._works.wake() if self._works else None,
            now=self._clock.now,
        )

    def _desk(self) -> Desk:
        return Desk(
            control=self.control,
            log=self._log_or_unavailable,
            people=self._opened.people,
            machine_token_digest=digest(self.machine_token),
            now=self._clock.now,
            new_token=new_token,
            spool=self._opened.folder.spool,
        )


def _size(opened: Opened) -> int:
    files: list[Any] = [opened.folder.events, opened.folder.events.with_name("events.db-wal")]
    return sum(file.stat().st_size for file in files if file.exists())

"""The agent: everything of the appliance on a client's server, wired together."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from appliance import VERSION
from appliance.alerts.watchman import Watchman
from appliance.backup.of_agent import agent_safekeeping
from appliance.captures import Captures
from appliance.chance import new_token
from appliance.clock import Clock
from appliance.clock_watch import ClockWatch
from appliance.control import Control
from appliance.direct_side import DirectSide, DirectSurroundings
from appliance.effects import Effects
from appliance.facts import facts_of, log_tail, vitals_of
from appliance.floor import Floor, stored_size
from appliance.house import House
from appliance.ids import new_id, new_instance_id
from appliance.key_client import open_key_transport
from appliance.key_holder import KeyHolder
from appliance.logs import Redactor
from appliance.needs import Need, process_needs
from appliance.opening import Opened
from appliance.page_certificate import PageCertificate
from appliance.present import Present
from appliance.proxy_side import ProxySide, ProxySurroundings
from appliance.refusals import Refusals
from appliance.running import digest
from appliance.schedule import Schedule
from appliance.statistics import Tally
from appliance.status import Status
from appliance.tasks import Tasks
from appliance.works import Surroundings, Works
from store.settings import Configuration
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from web.api.desk import Desk
from web.facts import Facts
from web.live import Live
from web.local import make_local
from web.page.home import pieces
from web.page.setup_link import SetupLink
from web.vitals import Vitals

log = structlog.get_logger()


class Agent:
    """The appliance over one opened data folder: `start` makes it live; without that it only answers commands."""

    def __init__(self, opened: Opened, *, environment: Mapping[str, str], clock: Clock, redactor: Redactor) -> None:
        self.machine_token = new_token()
        self.link = SetupLink(now=clock.now, new_token=new_token)
        self.page: str | None = None  # the page's address while the process runs
        self.loopback: str | None = None  # its address for commands and setup links, on this machine only
        self.page_certificate = PageCertificate()
        self.not_applied: tuple[Problem, ...] = ()  # what is wrong with --config, while the stored configuration runs
        self._opened = opened
        self._environment = environment
        self._clock = clock
        self._redactor = redactor
        self._instance = ""
        self._present = Present()
        self._tasks = Tasks()
        self._schedule = Schedule()
        self._tally = Tally(now=clock.now)
        self._live = Live(pulse=lambda: self._tally.pulse)
        self._refusals = Refusals(now=clock.now)
        self._clock_watch = ClockWatch(clock, jumped=self._clock_jumped)
        self._floor = Floor(
            opened.folder.path,
            free_disk=lambda: self.configuration.retention.free_disk,
            limit=lambda: self.configuration.retention.size,
            stored=lambda: stored_size(opened.folder.events),
        )
        self._house = House(
            works=lambda: self._works,
            floor=self._floor,
            refusals=self._refusals,
            tally=self._tally,
            retention=lambda: self.configuration.retention,
            calm=lambda: self._clock_watch.calm,
            clock=clock,
        )
        self._watchman = Watchman(
            memory=opened.alerts,
            configuration=lambda: self.configuration,
            status=lambda: self.control.needs(),  # noqa: PLW0108 - the control is made below
            events=lambda: opened.usable,
            page=lambda: self.page,
            environment=environment,
            clock=clock,
            calm=lambda: self._clock_watch.calm,
            new_id=new_id,
            tasks=self._tasks,
        )
        self._safekeeping = agent_safekeeping(opened, configuration=lambda: self.configuration, clock=clock)
        connect = partial(open_key_transport, environment=environment)
        self._captures = Captures(opened.configuration, lambda: self.configuration)
        self._effects = Effects(
            capture=lambda *captured: self.control.capture(*captured),  # noqa: PLW0108 - the control is made below
            connect=connect,
        )
        self._published = KeyHolder(connect=connect, clock=clock, tasks=self._tasks)
        self.direct = self._make_direct_side().path
        self.proxy = self._make_proxy_side()
        self._works = self._make_works()
        self.control = self._make_control()
        self._desk = self._make_desk()
        self.local = make_local(self._desk, version=VERSION)

    @property
    def configuration(self) -> Configuration:
        """What runs now."""
        return self._present.configuration

    async def load(self) -> None:
        """Take up the stored configuration. Raises ProblemError."""
        self._adopt(await self._opened.configuration.load(self._environment))
        await self.proxy.recall()
        self._instance = await self._opened.configuration.instance_id(new_instance_id())
        await self._safekeeping.recall()
        await self._captures.recall()

    async def start(self) -> None:
        """Deliver, drain, listen, pull, and keep house."""
        self._floor.look()
        if self._works is not None:
            await self._works.begin()
        await self.direct.start(self.configuration.agent)
        await self.proxy.path.start()
        self._tasks.spawn(self._clock_watch.run(), name="clock")
        self._tasks.spawn(self._live.run(partial(pieces, self._desk)), name="live")
        self._keep_house()

    async def stop(self, *, grace: float) -> None:
        """Accept nothing more, let requests and attempts under way end within `grace` seconds. The folder stays open."""
        self._schedule.stop()
        self._live.close()
        await asyncio.gather(self.direct.close(grace=grace / 2), self.proxy.path.close(grace=grace / 2))
        if self._works is not None:
            await self._works.close(grace=grace / 2)
            await self._house.write_down()
        await self._tasks.end()
        await self._safekeeping.close()

    def _keep_house(self) -> None:
        for seconds, chore, name in (
            *self._house.chores,
            (10.0, self.direct.watch, "direct path"),
            *self.proxy.chores,
            *self._watchman.chores,
            *self._safekeeping.chores,
            (600.0, self.page_certificate.renew, "page certificate"),
        ):
            self._schedule.every(seconds, chore, name=name)
        self._schedule.start()

    def _clock_jumped(self, moved: Micros) -> None:
        self._schedule.reschedule()
        self.proxy.path.jumped()
        if self._works is not None and self._works.usable:
            self._tasks.spawn(self._works.clock_jumped(moved), name="clock jumped")

    def _adopt(self, configuration: Configuration) -> None:
        self._redactor.follow(configuration)
        self._present.adopt(configuration)

    async def _follow(self, configuration: Configuration) -> None:
        self._adopt(configuration)
        await self._captures.recall()
        self.not_applied = ()
        if self.page is None:
            return
        try:
            if self._works is not None and self._works.usable:
                await self._works.follow()
        finally:  # it is saved: whatever could not be written of it now, all else follows it
            await self.proxy.path.follow()

    async def _rebind(self, configuration: Configuration) -> None:
        if self.page is not None:
            await self.direct.follow(configuration.agent)

    async def _start_empty(self) -> None:
        if self._works is None:
            raise ProblemError(problem("events_file_usable"))
        await self._works.start_empty(live=self.page is not None)

    def _warnings(self) -> Iterable[Need]:
        """What needs a person beside touchpoints and destinations."""
        yield from process_needs(
            self._opened.late.problem,
            self._floor.trouble,
            self.not_applied,
            self.configuration.warnings,
            certificate_ends=self.direct.certificate_ends,
            page_certificate_ends=self.page_certificate.ends,
            now=self._clock.now(),
        )
        yield from self._watchman.needs()
        yield from self._safekeeping.needs()
        yield from self._captures.needs()

    def _make_direct_side(self) -> DirectSide:
        around = DirectSurroundings(
            present=self._present,
            works=lambda: self._works,
            floor=self._floor,
            tally=self._tally,
            refusals=self._refusals,
            perform=self._effects.perform,
            published=self._published,
            clock=self._clock,
        )
        return DirectSide(self._opened, around)

    def _make_proxy_side(self) -> ProxySide:
        around = ProxySurroundings(
            direct=self.direct,
            configuration=lambda: self.configuration,
            works=lambda: self._works,
            floor=self._floor,
            tally=self._tally,
            budget=self._present.arriving,
            clock=self._clock,
            environment=self._environment,
            perform=self._effects.perform,
            published=self._published,
            tasks=self._tasks,
            unseen=lambda: self._safekeeping.unseen,
        )
        return ProxySide(self._opened, around)

    def _make_works(self) -> Works | None:
        if self._opened.events is None:
            return None
        around = Surroundings(
            configuration=lambda: self.configuration,
            directory=lambda: self._present.directory,
            facts=self._opened.configuration,
            budget=self._present.leaving,
            clock=self._clock,
            environment=self._environment,
            tasks=self._tasks,
            settled=self._tally.settled,
            proxied=self.proxy.path.sender_url,
            perform=self._effects.perform,
            published=self._published,
        )
        return Works(self._opened.events, around)

    def _make_control(self) -> Control:
        status = Status(
            data_dir=self._opened.folder.path,
            page=lambda: self.page,
            configuration=lambda: self.configuration,
            log=self._opened.log,
            direct=self.direct,
            proxy=self.proxy,
            drain=lambda: self._works.drain if self._works else None,
            lanes=lambda: self._works.lanes if self._works else None,
            warnings=self._warnings,
            now=self._clock.now,
        )
        return Control(
            store=self._opened.configuration,
            people=self._opened.people,
            log=self._opened.log,
            missing=self._opened.late.unavailable,
            deeds=lambda: self._works.deeds if self._works else None,
            rehearsal=lambda: self._works.rehearsal if self._works else None,
            status=status,
            configuration=lambda: self.configuration,
            endpoint_urls=lambda: self.proxy.endpoint_urls,
            environment=self._environment,
            rebind=self._rebind,
            follow=self._follow,
            health=lambda: self._works.lanes.health() if self._works else {},
            check=self._opened.check,
            watchman=self._watchman,
            captures=self._captures,
            knocks=self._effects.knocks,
            start_empty=self._start_empty,
            wake=lambda: self._works.wake() if self._works else None,
            now=self._clock.now,
        )

    def _make_desk(self) -> Desk:
        return Desk(
            control=self.control,
            safekeeping=self._safekeeping,
            membership=self.proxy,
            log=lambda: self._opened.readable().log,
            people=self._opened.people,
            door=self._opened.door,
            link=self.link,
            loopback=lambda: self.loopback,
            instance=lambda: self._instance,
            machine_token_digest=digest(self.machine_token),
            now=self._clock.now,
            local=self._clock.local,
            new_token=new_token,
            spool=self._opened.folder.spool,
            facts=self._facts,
            log_tail=lambda: log_tail(self._opened.folder),
            statistics=lambda: self._opened.readable().statistics,
            live=self._live,
            vitals=self._vitals,
        )

    def _facts(self) -> Facts:
        return facts_of(self._opened.folder, listener_ends=self.direct.certificate_ends, page_ends=self.page_certificate.ends)

    def _vitals(self) -> Vitals:
        return vitals_of(self.direct, self.configuration.agent.host_public_url, self._floor, self._opened.late)

"""The proxy: everything of a hosted queue, wired together."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from appliance import VERSION
from appliance.backup.of_proxy import proxy_safekeeping
from appliance.chance import new_token
from appliance.clock import Clock
from appliance.clock_watch import ClockWatch
from appliance.data_folder import DataFolder
from appliance.direct_path import DirectPath
from appliance.facts import facts_of, log_tail, vitals_of
from appliance.ids import new_id, new_instance_id
from appliance.logs import Redactor
from appliance.page_certificate import PageCertificate
from appliance.proxy.control import ProxyControl
from appliance.proxy.house import ProxyHouse, floor_of
from appliance.proxy.listening import CEILINGS, listening
from appliance.proxy.needs import OperatorNeed, server_needs
from appliance.proxy.opening import OpenedProxy, open_proxy_folder
from appliance.proxy.outlook import Outlook
from appliance.proxy.snapshot import Snapshot
from appliance.proxy.status import ProxyStatus
from appliance.proxy.traffic import Traffic
from appliance.role import Kind
from appliance.running import digest
from appliance.schedule import Schedule
from appliance.tasks import Tasks
from store.configuration import Actor, Document
from store.queue import Queue
from store.server_settings import ServerConfiguration
from store.settings import MIB, PageSettings, shares
from store.sqlite.instance import understanding
from touchpoints.problem import Problem
from web.listener.budget import Budget
from web.listener.certificate import Certificate
from web.listener.proxies import TrustedProxies
from web.live import Live
from web.operator.desk import OperatorDesk
from web.operator.home import pieces
from web.operator.local import make_operator_local
from web.page.setup_link import SetupLink
from web.proxy.app import make_proxy_app
from web.proxy.asks import Asks
from web.proxy.bells import Bells
from web.proxy.data_keys import DataKeys
from web.proxy.gatekeeper import Gatekeeper
from web.proxy.hub import Hub
from web.proxy.readiness import Readiness
from web.proxy.sightings import Sightings

FREE_DISK = 200 * MIB


class ProxyServer:
    """The proxy over one opened data folder; see appliance.role.Role."""

    def __init__(self, opened: OpenedProxy, *, environment: Mapping[str, str], clock: Clock, redactor: Redactor) -> None:
        self.machine_token = new_token()
        self.link = SetupLink(now=clock.now, new_token=new_token)
        self.page: str | None = None
        self.loopback: str | None = None
        self.not_applied: tuple[Problem, ...] = ()
        self.opened = opened
        self._page_certificate = PageCertificate()
        self._environment = environment
        self._redactor = redactor
        self._clock = clock
        self._configuration = ServerConfiguration()
        self._trusted = TrustedProxies()
        self._closing = False
        # Apart, so that no sender, however slow, can keep agents from what waits for them, nor the other way round.
        self._arriving, self._leaving = (Budget(size) for size in shares(self._configuration.limits.buffers))
        self._tasks = Tasks()
        self._schedule = Schedule()
        self._traffic = Traffic(now=clock.now)
        self._live = Live(pulse=lambda: self._traffic.pulse)
        self._clock_watch = ClockWatch(clock, jumped=lambda _moved: self._schedule.reschedule())
        self._snapshot = Snapshot(opened.organisations)
        self.hub = self._make_hub()
        self.direct = DirectPath(make_proxy_app(self.hub), trusted=self._trusts, ceilings=CEILINGS)
        self._outlook = Outlook(
            hub=self.hub, queue=self._queue, settings=lambda: self._configuration.server, traffic=self._traffic, clock=clock
        )
        self._floor = floor_of(opened.folder, free_disk=lambda: FREE_DISK)
        self._safekeeping = proxy_safekeeping(
            opened,
            directory=lambda: self._snapshot.directory,
            settings=lambda: self._configuration.backup,
            floor=lambda: FREE_DISK,
            clock=clock,
        )
        self._house = ProxyHouse(
            opened=opened,
            hub=self.hub,
            outlook=self._outlook,
            floor=self._floor,
            settings=lambda: self._configuration.server,
            calm=lambda: self._clock_watch.calm,
            clock=clock,
            before_upgrade=self._safekeeping.before_upgrade,
            unseen=lambda: self._safekeeping.unseen,
        )
        self.control = self._make_control()
        self._desk = self._make_desk()
        self.local = make_operator_local(self._desk, version=VERSION)

    @property
    def configuration(self) -> ServerConfiguration:
        """What runs now."""
        return self._configuration

    @property
    def page_settings(self) -> PageSettings:
        """See Role."""
        return self._configuration.page

    @property
    def blank(self) -> bool:
        """See Role."""
        return not self._configuration.server.public_url and not self._configuration.organisations

    def serve_page_with(self, certificate: Certificate) -> None:
        """See Role."""
        self._page_certificate.current = certificate

    async def load(self) -> None:
        """See Role."""
        with understanding(self.opened.folder.configuration):
            self._adopt(await self.opened.configuration.load(self._environment))
            await self._snapshot.refresh()
            await self._safekeeping.recall()

    async def last_applied(self) -> str:
        """See Role."""
        return await self.opened.configuration.last_applied()

    async def apply(self, document: Document, *, base: str, digest: str, actor: Actor) -> tuple[Problem, ...]:
        """See Role."""
        applied = await self.control.apply(document, base=base, digest=digest, prune=False, dry_run=False, actor=actor)
        return applied.problems

    async def start(self) -> None:
        """Listen, and keep house."""
        await self._house.begin()
        await self.direct.start(listening(self._configuration.server))
        self._tasks.spawn(self._clock_watch.run(), name="clock")
        self._tasks.spawn(self._live.run(partial(pieces, self._desk)), name="live")
        for seconds, chore, name in (
            *self._house.chores,
            *self._safekeeping.chores,
            (10.0, self.direct.watch, "public listener"),
            (600.0, self._page_certificate.renew, "page certificate"),
        ):
            self._schedule.every(seconds, chore, name=name)
        self._schedule.start()
        self._tasks.spawn(self.catch_up(), name="upgrade")

    async def catch_up(self) -> None:
        """See Role."""
        if self.opened.late.migrating:
            await self._house.open_queue()
        else:
            await self._safekeeping.before_upgrade()

    async def stop(self, *, grace: float) -> None:
        """Answer the pulls that wait, let requests under way end within `grace` seconds. The folder stays open."""
        self._schedule.stop()
        self._live.close()
        self._closing = True
        self.hub.bells.call_all()
        await self.direct.close(grace=grace)
        await self._house.write_down()
        await self._tasks.end()
        await self.break_off()

    async def break_off(self) -> None:
        """See Role."""
        await self._safekeeping.close()

    def told(self) -> Sequence[tuple[str, str]]:
        """See Role."""
        where = self.direct.address or self.direct.error or "not listening"
        url = self._configuration.server.public_url or "not chosen yet (on the page, or with --public-url)"
        return (("listener", where), ("page", self.page or ""), ("public URL", url))

    def _adopt(self, configuration: ServerConfiguration) -> None:
        self._redactor.follow(configuration)
        self._configuration = configuration
        self._trusted = TrustedProxies(configuration.server.trusted_proxies)
        for budget, size in zip((self._arriving, self._leaving), shares(configuration.limits.buffers), strict=True):
            budget.resize(size)

    async def _follow(self, configuration: ServerConfiguration) -> None:
        self._adopt(configuration)
        self.not_applied = ()
        await self._snapshot.refresh()
        self._traffic.moved()

    async def _rebind(self, configuration: ServerConfiguration) -> None:
        if self.page is not None:
            await self.direct.follow(listening(configuration.server))

    def _queue(self) -> Queue | None:
        return file.queue if (file := self.opened.usable) else None

    async def _refresh(self) -> None:
        await self._snapshot.refresh()
        self._traffic.moved()

    def _trusts(self, address: str) -> bool:
        return self._trusted.trusts(address)

    def _needs(self) -> Iterable[OperatorNeed]:
        yield from server_needs(
            self._configuration.server,
            store_trouble=self.opened.late.problem,
            disk_trouble=self._floor.trouble,
            not_applied=self.not_applied,
            warnings=self._configuration.warnings,
            listener_error=self.direct.error,
            certificates=(
                ("certificate_expires", self.direct.certificate_ends),
                ("page_certificate_expires", self._page_certificate.ends),
            ),
            organisations=len(self._snapshot.directory.organisations),
            now=self._clock.now(),
        )
        yield from self._house.needs()
        yield from (OperatorNeed(problem=need.problem, count=need.count) for need in self._safekeeping.needs())

    def _make_hub(self) -> Hub:
        bells = Bells()
        return Hub(
            queue=self._queue,
            organisations=self.opened.organisations,
            directory=lambda: self._snapshot.directory,
            refresh=self._refresh,
            settings=lambda: self._configuration.server,
            signing_key=self.opened.signing_key,
            gatekeeper=Gatekeeper(agent=lambda one: self._snapshot.directory.agents.get(one), chance=os.urandom),  # noqa: PLW0108 - it is made anew
            readiness=Readiness(chance=os.urandom, steady=self._clock.steady),
            bells=bells,
            asks=Asks(bells),
            sightings=Sightings(),
            data_keys=DataKeys(chance=os.urandom, now=self._clock.now),
            budget=self._arriving,
            outgoing=self._leaving,
            trusted_proxies=lambda: self._trusted,
            now=self._clock.now,
            steady=self._clock.steady,
            new_id=new_id,
            new_incarnation=new_instance_id,
            chance=os.urandom,
            received=self._traffic.received,
            closing=lambda: self._closing,
            migrating=lambda: self.opened.late.migrating,
        )

    def _make_control(self) -> ProxyControl:
        status = ProxyStatus(
            data_dir=self.opened.folder.path,
            page=lambda: self.page,
            settings=lambda: self._configuration.server,
            direct=self.direct,
            outlook=self._outlook,
            needs=self._needs,
            usable=lambda: self.opened.usable is not None,
            now=self._clock.now,
        )
        return ProxyControl(
            opened=self.opened,
            hub=self.hub,
            outlook=self._outlook,
            status=status,
            configuration=lambda: self._configuration,
            rebind=self._rebind,
            follow=self._follow,
            begun=self._house.look_at_floor,
            forget=self._traffic.forget,
            environment=self._environment,
            clock=self._clock,
        )

    def _make_desk(self) -> OperatorDesk:
        return OperatorDesk(
            control=self.control,
            people=self.opened.people,
            door=self.opened.door,
            link=self.link,
            loopback=lambda: self.loopback,
            instance=lambda: self.opened.instance,
            machine_token_digest=digest(self.machine_token),
            now=self._clock.now,
            new_token=new_token,
            facts=lambda: facts_of(
                self.opened.folder,
                listener_ends=self.direct.certificate_ends,
                page_ends=self._page_certificate.ends,
            ),
            log_tail=lambda: log_tail(self.opened.folder),
            live=self._live,
            vitals=lambda: vitals_of(self.direct, self._configuration.server.public_url, self._floor, self.opened.late),
            safekeeping=self._safekeeping,
        )


async def open_proxy(folder: DataFolder, clock: Clock, environment: Mapping[str, str], redactor: Redactor) -> ProxyServer:
    """The proxy over a folder, not loaded yet. Raises AlreadyRunning and ProblemError."""
    return ProxyServer(await open_proxy_folder(folder, clock), environment=environment, clock=clock, redactor=redactor)


PROXY = Kind(name="proxy", folder="hookport-proxy", port=8431, open=open_proxy)

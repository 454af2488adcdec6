"""The proxy side of an agent: its path to a hosted proxy and its membership there, as page, API and commands ask for it."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance import VERSION
from appliance.chance import jitter
from appliance.clock import Clock
from appliance.direct_path import DirectPath
from appliance.floor import Floor
from appliance.house import Chore
from appliance.needs import Need
from appliance.opening import Opened
from appliance.proxy_client import open_client
from appliance.proxy_link import ProxyNeeds
from appliance.proxy_lookout import ProxyLookout
from appliance.proxy_membership import Membership
from appliance.proxy_needs import proxy_needs
from appliance.proxy_path import ProxyPath
from appliance.statistics import Tally
from appliance.tasks import Tasks
from appliance.works import Works
from store.dock import Dock, Landed
from store.inbox import StoreUnavailable
from store.log import Filter
from store.old_path import OldPath
from store.pairing import Pairing
from store.people import AuditLine
from store.remote_errors import RemoteError
from store.settings import Configuration
from touchpoints.event import Verdict
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.call import State
from web.listener.budget import Budget
from web.listener.intake import Perform
from web.listener.judging import KeySource
from web.membership import Closing, Standing

LOOK_EVERY = 10.0  # seconds between two looks at what only the events file and the proxy know


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySurroundings:
    """What the proxy side needs of the agent around it."""

    direct: DirectPath
    configuration: Callable[[], Configuration]
    works: Callable[[], Works | None]
    floor: Floor
    tally: Tally
    budget: Budget
    clock: Clock
    environment: Mapping[str, str]
    perform: Perform
    published: KeySource
    tasks: Tasks
    unseen: Callable[[], bool] = lambda: False  # a backup was put back, and nobody has looked at what that left


class ProxySide:
    """See web.membership.Membership. Every deed is written into the audit log."""

    def __init__(self, opened: Opened, around: ProxySurroundings) -> None:
        self._opened = opened
        self._around = around
        self._clock = around.clock
        self.path = ProxyPath(
            ProxyNeeds(
                pairings=opened.pairings,
                old_paths=opened.old_paths,
                dock=self._dock,
                missing=opened.late.unavailable,
                client=lambda url: open_client(url, around.environment),
                configuration=around.configuration,
                budget=around.budget,
                clock=around.clock,
                jitter=jitter,
                chance=os.urandom,
                tasks=around.tasks,
                released=self._released,
                trouble=lambda: around.floor.trouble.code if around.floor.trouble else "",
                verify=self._verify,
                unseen=around.unseen,
                landed=self._landed,
                perform=around.perform,
                published=around.published,
                version=VERSION,
            )
        )
        self._membership = Membership(
            self.path,
            pairings=opened.pairings,
            client=lambda url: open_client(url, around.environment),
            clock=around.clock,
            chance=os.urandom,
            version=VERSION,
        )
        self._lookout = ProxyLookout(
            self.path,
            pairings=opened.pairings,
            configuration=around.configuration,
            dock=self._dock,
            state=self._membership.state,
        )

    @property
    def wanted(self) -> bool:
        """Whether the mode wants this way in."""
        return self._around.configuration().agent.mode in ("proxy", "both")

    @property
    def up(self) -> bool:
        """Whether events can come by it: to this agent, or to the one that it stands by for."""
        return self.path.state in ("connected", "standby")

    @property
    def endpoint_urls(self) -> Mapping[int, str]:
        """The endpoint URLs at the proxy by the touchpoint's id; empty where the mode does not want this way in."""
        return self.path.urls if self.wanted else {}

    @property
    def chores(self) -> Sequence[Chore]:
        """What is to be run, and how often."""
        return ((LOOK_EVERY, self.look, "proxy side"),)

    def standing(self) -> Standing:
        """See Membership."""
        pairing, path = self.path.pairing, self.path
        heard = path.standing
        return Standing(
            state=path.state,
            paired=pairing is not None,
            url=pairing.url if pairing else "",
            domain=pairing.domain if pairing else "",
            host=_host(pairing) if pairing else "",
            agent_id=pairing.agent_id if pairing else "",
            agent_name=pairing.agent_name if pairing else "",
            fingerprint=self._membership.fingerprint,
            problem=path.problem,
            last_poll_at=heard.last_poll_at or 0,
            backlog=heard.backlog,
            holder=heard.holder,
            notices=(*heard.notices, *(("proxy_restored",) if heard.proxy_restored else ())),
            gap=heard.gap,
            behind=self._lookout.behind,
            lacking=path.lacking,
            unsettled=self._lookout.unsettled,
            left=self._lookout.left,
            urls=path.urls,
            closing=self._closing(path.closing),
            direct_closing=self._closing(self._around.direct.closing),
        )

    async def needs(self) -> list[Need]:
        """What needs a person."""
        unverified: Mapping[str, int] = {}
        with suppress(StoreUnavailable):  # said by what reads the log
            await self._lookout.left_berths()
            unverified = await self._lookout.unverified()
        told = self._around.floor.trouble is not None or self._opened.late.migrating
        return proxy_needs(
            self.standing(),
            self._around.configuration(),
            paused="" if told else self.path.standing.paused,
            unverified=unverified,
        )

    async def recall(self) -> None:
        """Take up the stored pairing, and ask nothing of the proxy yet. Raises StoreUnavailable."""
        await self.path.recall()

    async def look(self) -> None:
        """Look at what changes slowly."""
        await self.path.watch()
        await self._lookout.look()

    async def state(self) -> State:
        """See Membership."""
        return await self._membership.state()

    async def pair(self, code: str, url: str, *, name: str, actor: str) -> str:
        """See Membership."""
        return (await self._membership.pair(code, url, name=name, actor=actor)).recovery_key

    async def approve(self, agent_id: str, compared: str, *, actor: str) -> None:
        """See Membership."""
        await self._membership.approve(agent_id, compared)
        await self._note(actor, "proxy.approve", f"{agent_id}, {compared}")

    async def recover(self, recovery_key: str, *, actor: str) -> None:
        """See Membership."""
        await self._membership.recover(recovery_key, actor=actor)
        await self._note(actor, "proxy.recover", "")

    async def take_over(self, agent_id: str, *, actor: str) -> int:
        """See Membership."""
        events = await self._membership.take_over(agent_id)
        await self._note(actor, "proxy.take_over", f"{events} events of {agent_id}")
        return events

    async def seek(self, to: int, *, actor: str) -> int:
        """See Membership."""
        events = await self._membership.seek(to)
        self._lookout.forget_behind()
        await self._note(actor, "proxy.seek", f"{events} events after {to}")
        return events

    async def leave(self, *, anyway: bool, actor: str) -> None:
        """See Membership."""
        await self._membership.leave(actor=actor, anyway=anyway)
        self._lookout.forget()

    async def rotate(self, touchpoint: str, *, actor: str) -> None:
        """See Membership."""
        found = next((one for one in self._around.configuration().touchpoints if one.name == touchpoint), None)
        if found is None:
            raise ProblemError(problem("touchpoint_unknown", path="touchpoint", name=ascii(touchpoint[:100])[1:-1]))
        await self.path.rotate(found.id)
        await self._note(actor, "proxy.rotate", touchpoint)

    async def settle_left(self, *, run: bool, actor: str) -> int:
        """See Membership."""
        settled = 0
        for berth in await self._lookout.left_berths():
            dock = self._dock()
            if dock is None:
                raise self._opened.late.unavailable()
            place = (berth.proxy, berth.incarnation, berth.epoch)
            settled += await dock.release(*place, to=berth.stored) if run else await dock.drop(*place)
        await self._lookout.left_berths()
        if run and settled:
            self._released(settled)
        await self._note(actor, "proxy.settle_left", f"{settled} events {'run' if run else 'dropped'}")
        return settled

    async def dismiss_restored(self, *, actor: str) -> None:
        """See Membership."""
        if self.path.standing.proxy_restored:
            self.path.standing.proxy_restored = False
            await self._note(actor, "proxy.dismiss_restored", "")

    async def close_old(self, which: str, *, actor: str) -> None:
        """See Membership."""
        paths: dict[str, DirectPath | ProxyPath] = {"direct": self._around.direct, "proxy": self.path}
        path = paths.get(which)
        if path is None or path.closing is None:
            raise ProblemError(problem("path_not_closing", path="which", which=ascii(which[:20])[1:-1]))
        try:
            await path.close_now()
        except RemoteError as error:
            raise ProblemError(error.problem) from error
        await self._note(actor, "proxy.close_old", which)

    def _closing(self, old: OldPath | None) -> Closing | None:
        if old is None:
            return None
        overlap: Micros = self._around.configuration().agent.switch_overlap
        used_at = old.used_at if old.used_at >= old.since else 0
        return Closing(since=old.since, used_at=used_at, closes_at=old.ends(overlap))

    def _dock(self) -> Dock | None:
        works = self._around.works()
        return works.events.dock if works is not None and works.usable else None

    def _released(self, events: int) -> None:
        self._around.tally.received(events)
        if works := self._around.works():
            works.drain.pace.wake()

    def _landed(self, landed: list[Landed]) -> None:
        for one in landed:
            if one.arrival.event.verdict is Verdict.REFUSED:
                self._around.tally.refused(one.arrival.event)

    async def _verify(self, touchpoint: int) -> None:
        if works := self._around.works():
            await works.deeds.do("verify", Filter(touchpoint=touchpoint, state="refused", tests=True), dry_run=False)
            works.wake()

    async def _note(self, actor: str, action: str, detail: str) -> None:
        await self._opened.people.audit(AuditLine(at=self._clock.now(), actor=actor, action=action, detail=detail))


def _host(pairing: Pairing) -> str:
    place = urlsplit(pairing.url).netloc
    return f"{pairing.domain}.{place}" if pairing.wildcard else f"{place}/{pairing.domain}"

"""The link to one proxy for one pairing: the client, the pull over it, and what is declared through it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import httpx
import structlog

from appliance.clock import Clock
from appliance.declaring import Declaring
from appliance.hops.pull import Pull
from appliance.hops.pull_judge import PullJudge
from appliance.hops.pull_standing import PullStanding
from appliance.key_renewal import KeyRenewal
from appliance.late_file import MIGRATING
from appliance.path_overlap import PathOverlap
from appliance.tasks import Tasks
from appliance.until_first import until_first
from store.dock import Dock, Landed
from store.inbox import StoreUnavailable
from store.old_path import OldPaths
from store.pairing import Pairing, PairingStore
from store.remote import Remote
from store.remote_errors import Refused, RemoteError
from store.settings import Configuration
from touchpoints.event import Verdict
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.key import Chance
from touchpoints.pull.message import Batch, PullRequest
from touchpoints.pull.sealing import SealBroken, unwrap_organisation_key
from touchpoints.touchpoint import Touchpoint
from web.listener.budget import Budget
from web.listener.intake import Perform, not_performed
from web.listener.judging import NO_KEY_SOURCE, KeySource

log = structlog.get_logger()

VISIT_EVERY: Micros = 10 * MINUTE  # an old path is still looked at
VISIT_LASTS = 60.0  # seconds: a whole poll and what it brings
FETCH_LASTS = 10.0  # seconds for what waits when a person closes the path
FETCH_LOOKS = 0.2  # seconds between two looks at it
DOCK_EVERY = 1.0  # seconds: for the end of a migration
LOOK_EVERY = 5.0  # seconds: for an approval, for the end of an overlap, and after a failure to declare
HOLDING = ("connected", "paused")  # states in which this agent holds the lease


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyNeeds:
    """What the proxy path needs of the process."""

    pairings: PairingStore
    old_paths: OldPaths
    dock: Callable[[], Dock | None]  # None: the events file cannot be used now
    missing: Callable[[], StoreUnavailable] = lambda: StoreUnavailable("store_corrupt")  # why
    client: Callable[[str], httpx.AsyncClient]  # to a proxy's URL; raises ValueError for an HTTPS_PROXY that is none
    configuration: Callable[[], Configuration]
    budget: Budget
    clock: Clock
    jitter: Callable[[], float]
    chance: Chance
    tasks: Tasks
    released: Callable[[int], None]  # events entered the inbox: wake the drain
    trouble: Callable[[], str]  # problem code of what keeps this agent from taking anything in; empty: nothing
    verify: Callable[[int], Awaitable[None]]  # verify again the refused events of a touchpoint
    unseen: Callable[[], bool] = lambda: False  # a backup was put back, and nobody has looked: these may have run since
    landed: Callable[[list[Landed]], None] = lambda _landed: None  # stored, for figures
    perform: Perform = not_performed  # what a handshake's answer waits for
    published: KeySource = NO_KEY_SOURCE
    version: str


class ProxyLink:
    """Lives as long as its pairing is wanted; `run` until cancelled."""

    def __init__(self, needs: ProxyNeeds, pairing: Pairing, overlap: PathOverlap, *, paired: Callable[[Pairing], None]) -> None:
        """`paired` is told of a changed pairing, once it is stored. Raises ValueError for an HTTPS_PROXY that is none."""
        self.standing = PullStanding()
        self.pairing = pairing
        self.closed = False  # by a person: everything is declared disabled
        self.parting = 5.0  # seconds to say goodbye in
        self._client = needs.client(pairing.url)
        self.remote = Remote(self._client, pairing, version=needs.version, count_from=needs.clock.now())
        self.declaring = Declaring(
            pairing,
            pairings=needs.pairings,
            configuration=needs.configuration,
            chance=needs.chance,
            closed=lambda: self.closed,
        )
        self._renewal = KeyRenewal(
            self.remote, needs.pairings, lambda: self.pairing, renewed=self._renewed, clock=needs.clock, chance=needs.chance
        )
        self._needs = needs
        self._overlap = overlap
        self._paired = paired
        self._pull: Pull | None = None
        self._declare = asyncio.Event()
        self._visit = asyncio.Event()  # look at the old path now
        self._digest = ""
        self._verified: dict[int, int] = {}  # by touchpoint: how many of its lacking events did not verify

    async def run(self) -> None:
        """Wait for the organisation's key where it is not there yet; then pull. Raises ProblemError and StoreUnavailable."""
        try:
            if not self.pairing.opening_key:
                await self._wait_for_key()
                return
            await self._carry()
        finally:
            try:
                await self._part()
            finally:  # also where the goodbye is cut short
                await self._client.aclose()

    def renew(self) -> None:
        """Give up whatever waits, and make a new connection at once."""
        if self._pull is not None:
            self._pull.renew()

    def declare(self) -> None:
        """Touchpoints or tokens changed."""
        self.declaring.forget_said()
        self._declare.set()

    async def say_closed(self) -> None:
        """Have the endpoints answered like unknown ones, and fetch what came before. Raises RemoteError, StoreUnavailable."""
        self.closed = True
        self.declaring.forget_said()
        try:
            epoch, holds = 0, self.standing.state in HOLDING
            if not holds:  # between two visits: only a holder's declaration counts
                epoch = (await self.remote.pull(PullRequest(wait=0.0, paused="closing"))).epoch
            await self.declaring.step(self.remote, self._digest, holds=True)
            if epoch:
                await self.remote.release(epoch)
            if holds or epoch:  # else another agent fetches
                await self._fetch_the_rest()
        except BaseException:  # it stays open, and so it must be declared
            self.closed = False
            self.declaring.forget_said()
            raise

    async def _fetch_the_rest(self) -> None:
        """What was accepted before the endpoints closed, and would else wait for nobody. Raises RemoteError where it stays."""
        until = asyncio.get_running_loop().time() + FETCH_LASTS
        while waiting := (await self.remote.state()).backlog.events:
            if asyncio.get_running_loop().time() > until:
                raise RemoteError(problem("old_path_waits", count=waiting))
            self._visit.set()
            await asyncio.sleep(FETCH_LOOKS)

    async def verify_lacking(self) -> None:
        """Events whose touchpoint was not here are verified, and run, once it is: made, or another that has the name now."""
        self._verified.clear()
        await self.verify_newly_lacking()

    async def verify_newly_lacking(self) -> None:
        """As `verify_lacking`, but for what was tried before: these may have been judged before their touchpoint was here."""
        dock = None if self._needs.unseen() else self._needs.dock()
        for number in await dock.lacking() if dock is not None else ():
            if dock is not None and (living := await self._living(number)):
                await dock.adopt(number, living)
                if self._verified.get(living) != (await dock.lacking()).get(living, 0):
                    await self._needs.verify(living)
                    self._verified[living] = (await dock.lacking()).get(living, 0)

    async def _living(self, number: int) -> int:
        """The touchpoint that has the name which an id was kept for, else 0. Renamed and aliased ones have ids of their own."""
        here = self._touchpoints()
        if number in {one.id for one in here.values()}:
            return number
        found = here.get((await self._needs.pairings.reserved_names()).get(number, ""))
        return found.id if found else 0

    async def _wait_for_key(self) -> None:
        """Until a person approved this agent on another one; entering the recovery key makes another link."""
        pairing, wrapped = self.pairing, b""
        while not wrapped:
            try:
                wrapped = (await self.remote.key()).wrapped_key
                self.standing.problem = None
            except RemoteError as error:
                self.standing.failed(error)
            if not wrapped:
                await asyncio.sleep(LOOK_EVERY)
        try:
            opening_key = unwrap_organisation_key(
                wrapped,
                pairing.exchange_key,
                organisation=pairing.organisation,
                agent=pairing.agent_id,
                sealing_key=pairing.sealing_key,
            )
        except SealBroken:
            raise ProblemError(problem("proxy_key_unreadable")) from None
        ready = replace(pairing, opening_key=opening_key)
        await self._needs.pairings.save(ready, actor="approval", now=self._needs.clock.now())
        await self.remote.ready(opening_key)
        self._paired(ready)

    async def _carry(self) -> None:
        await self.declaring.recall()
        await self._docked()
        await self.verify_lacking()
        while True:
            pull = self._pull = self._make_pull(await self._docked())
            self.standing = pull.standing
            visiting = self._over()
            ends = asyncio.sleep(VISIT_LASTS) if visiting else self._until_over()
            await until_first(pull.run(), self._keep_declared(), self._renew_key(), ends)
            await self._part()
            if visiting:
                self._visit.clear()
                await until_first(asyncio.sleep(VISIT_EVERY / SECOND - VISIT_LASTS), self._visit.wait())

    async def _docked(self) -> Dock:
        """The dock, once the events file has been brought up to date. Raises StoreUnavailable."""
        while (dock := self._needs.dock()) is None:
            missing = self._needs.missing()
            if missing.code != MIGRATING:
                raise missing
            self.standing.failed(missing)
            await asyncio.sleep(DOCK_EVERY)
        return dock

    def _over(self) -> bool:
        return self._overlap.over(self._needs.configuration().agent.switch_overlap)

    async def _until_over(self) -> None:
        """Until an old path has brought nothing verified for as long as the overlap lasts."""
        while not self._over():  # noqa: ASYNC110 - a clock is watched, which tells no event
            await asyncio.sleep(LOOK_EVERY)

    async def _part(self) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            await pull.close(grace=self.parting)

    def _make_pull(self, dock: Dock) -> Pull:
        needs = self._needs
        judge = PullJudge(
            self.pairing,
            touchpoints=self._touchpoints,
            touchpoint_id=needs.pairings.touchpoint_id,
            perform=needs.perform,
            published=needs.published,
        )
        return Pull(
            remote=self.remote,
            dock=dock,
            proxy=self.pairing.id,
            judge=judge,
            budget=needs.budget,
            clock=needs.clock,
            jitter=needs.jitter,
            released=needs.released,
            trouble=needs.trouble,
            lacking=lambda: self.declaring.lacking,
            told=self._told,
            landed=self._landed,
            reconnect=self._reconnect,
        )

    async def _reconnect(self) -> None:
        old, self._client = self._client, self._needs.client(self.pairing.url)
        self.remote.use_client(self._client)
        await old.aclose()

    def _touchpoints(self) -> Mapping[str, Touchpoint]:
        return {name: one for one in self._needs.configuration().touchpoints for name in (one.name, *one.aliases)}

    def _told(self, batch: Batch) -> None:
        self._digest = batch.declaration
        if self.declaring.due(batch.declaration, holds=batch.epoch != 0):
            self._declare.set()

    def _landed(self, landed: list[Landed]) -> None:
        self._needs.landed(landed)
        if any(one.arrival.event.verdict is Verdict.ACCEPTED for one in landed):
            self._overlap.used()

    async def _say_ready(self) -> None:
        """The proxy may have missed that this agent has its key."""
        while True:
            try:
                await self.remote.ready(self.pairing.opening_key)
            except RemoteError as error:
                if isinstance(error, Refused) and error.code != "ready_unproved":
                    return
                await asyncio.sleep(LOOK_EVERY)
            else:
                return

    async def _keep_declared(self) -> None:
        await self._say_ready()
        while True:
            await self._declare.wait()
            self._declare.clear()
            if self.standing.last_poll_at is None:
                continue  # the first answer asks for it again
            try:
                await self.declaring.step(self.remote, self._digest, holds=self.standing.state in HOLDING)
            except (RemoteError, StoreUnavailable) as error:
                log.warning("not_declared", why=str(error))
                await asyncio.sleep(LOOK_EVERY)
                self._declare.set()

    async def _renew_key(self) -> None:
        while True:
            if await self._renewal.look(self.standing):
                self.renew()
            await asyncio.sleep(LOOK_EVERY)

    def _renewed(self, pairing: Pairing) -> None:
        self.pairing = pairing
        self._paired(pairing)

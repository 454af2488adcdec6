"""The proxy's house: the chores that keep it in order, each run by the schedule every so many seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.floor import Floor, stored_size
from appliance.house import Chore
from appliance.late_file import nothing_before
from appliance.look_through import LookThrough
from appliance.proxy.needs import OperatorNeed, deeper_needs, expired_needs, gap_needs
from appliance.proxy.opening import OpenedProxy
from appliance.proxy.outlook import Outlook
from store.inbox import StoreUnavailable
from store.people import AuditLine
from store.queue import LEAP
from store.server_settings import ServerSettings
from touchpoints.moment import DAY, Micros
from touchpoints.problem import ProblemError
from web.proxy.hub import Hub

log = structlog.get_logger()

SLICE = 200  # events a transaction
TOLD: Micros = 7 * DAY  # so long the operator is told of events that went by their age
_EXPIRED = "events.expired"


def floor_of(folder: DataFolder, *, free_disk: Callable[[], int]) -> Floor:
    """The floor of a proxy's disk; what it stores is bounded by quotas."""
    return Floor(folder.path, free_disk=free_disk, limit=lambda: 0, stored=lambda: stored_size(folder.queue))


@dataclass(slots=True, kw_only=True)
class ProxyHouse:
    """Sightings, the floor, retention, and a look at what agents that are gone left behind."""

    opened: OpenedProxy
    hub: Hub
    outlook: Outlook
    floor: Floor
    settings: Callable[[], ServerSettings]
    calm: Callable[[], bool]  # whether the clock has been believable for an hour: until then nothing goes by its age
    clock: Clock
    before_upgrade: Callable[[], Awaitable[None]] = nothing_before
    unseen: Callable[[], bool] = lambda: False  # a backup was put back, and nobody has looked at what that left
    _expired: list[tuple[Micros, str, int]] = field(default_factory=list)  # when, which organisation, how many
    _deeper: tuple[OperatorNeed, ...] = ()
    look_through: LookThrough = field(init=False)
    _leaps: tuple[OperatorNeed, ...] = ()  # gaps that such a backup left in every queue at once

    def __post_init__(self) -> None:
        """What looks through the queue's file."""
        facts = self.opened.configuration
        self.look_through = LookThrough(file=lambda: self.opened.usable, facts=facts, clock=self.clock)

    @property
    def chores(self) -> Sequence[Chore]:
        """What is to be run, and how often."""
        return (
            (5.0, self.write_down, "sightings"),
            (5.0, self.look_at_floor, "floor"),
            (10.0, self.open_queue, "queue"),
            (60.0, self.survey, "survey"),
            (60.0, self.expire, "expire"),
            *self.look_through.chores,
        )

    async def open_queue(self) -> None:
        """A disk that failed when the process began may be well again, or an older file is brought up to date."""
        if await self.opened.late.open(self.before_upgrade):
            log.warning("queue_opened_late")
            await self.begin()

    async def begin(self) -> None:
        """Take up what an earlier process told the operator, and what it could not finish."""
        since = self.clock.now() - TOLD
        for _, line in await self.opened.people.audited(limit=500):
            name, _, count = line.detail.rpartition(": ")
            if line.action == _EXPIRED and line.at > since and name and count.isdigit():
                self._expired.append((line.at, name, int(count)))
        await self.look_at_floor()
        await self.survey()

    def needs(self) -> Iterable[OperatorNeed]:
        """What the chores found."""
        since, sums = self.clock.now() - TOLD, dict[str, int]()
        names = {one.name for one in self.hub.directory().organisations.values()}
        for at, name, count in self._expired:
            if at > since and name in names:
                sums[name] = sums.get(name, 0) + count
        yield from expired_needs(sums)
        yield from self._deeper
        yield from (OperatorNeed(problem=found) for found in self.look_through.needs())
        if self.unseen():
            yield from self._leaps

    async def write_down(self) -> None:
        """When agents were last seen."""
        seen = self.hub.sightings.take()
        if not seen:
            return
        try:
            await self.opened.organisations.seen(seen)
        except (StoreUnavailable, ProblemError) as error:
            log.warning("sightings_lost", why=str(error))  # the next ones come within a minute

    async def look_at_floor(self) -> None:
        """Below it nothing is taken in; what is there can still be pulled."""
        await asyncio.to_thread(self.floor.look)
        if (queue := self.opened.queue) is not None:
            queue.queue.unavailable = self.floor.trouble.code if self.floor.trouble else ""

    async def survey(self) -> None:
        """What costs a look at the disk for each organisation."""
        found: list[OperatorNeed] = []
        leaps: list[OperatorNeed] = []
        try:
            for view in await self.outlook.all():
                whole = await self.outlook.deeper(view)
                found += deeper_needs(whole, now=self.clock.now())
                leapt = whole.gap is not None and whole.gap[1] - whole.gap[0] >= LEAP - 1
                (leaps if leapt else found).extend(gap_needs(whole))
        except StoreUnavailable:
            return  # said elsewhere
        self._deeper, self._leaps = tuple(found), tuple(leaps)

    async def expire(self) -> None:
        """Remove what waited too long, what was acknowledged long ago, and what belongs to nobody any more."""
        file = self.opened.usable
        if file is None or not self.calm():
            return
        settings, now = self.settings(), self.clock.now()
        try:
            gone = await file.queue.expire(
                before=now - settings.max_age_days * DAY,
                acknowledged_before=now - settings.acknowledged_days * DAY,
                limit=SLICE,
            )
            held = await file.queue.backlogs()
            known = self.hub.directory().organisations  # looked at second: one that has just come is no stray
            for stray in held.keys() - known.keys():
                await file.queue.erase(stray)
        except StoreUnavailable as error:
            log.warning("expiry_waits", code=error.code)
            return
        for organisation, count in gone.items():
            await self._tell(organisation, count, now)

    async def _tell(self, organisation: int, count: int, now: Micros) -> None:
        known = self.hub.directory().organisations.get(organisation)
        if known is None:
            return
        log.warning("events_expired", organisation=known.name, count=count)
        self._expired = [one for one in self._expired if one[0] > now - TOLD] + [(now, known.name, count)]
        line = AuditLine(at=now, actor="proxy", action=_EXPIRED, detail=f"{known.name}: {count}")
        await self.opened.people.audit(line)

"""The key holder: fetches the public keys that senders publish, and keeps them. Nothing else of Hookport follows an address
that a request named, so it is narrow: GET by https, from a pinned host, small, without redirects, seldom.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import httpx
import structlog

from appliance.clock import Clock
from appliance.key_fetch import Fetched, fetch_keys
from appliance.tasks import Tasks
from touchpoints.moment import DAY, HOUR, MINUTE, Micros
from touchpoints.published_key import KeyPlace, Keys, PublishedKeys, host_of
from web.listener.crowd import key_of

log = structlog.get_logger()

DEADLINE = 5.0  # seconds for all that one place needs
LEAST_KEPT: Micros = HOUR
USUALLY_KEPT: Micros = 6 * HOUR
MOST_KEPT: Micros = DAY
STALE_KEPT: Micros = DAY  # after that, while the host cannot be reached
AGAIN: Micros = MINUTE  # after a try, whatever came of it

MOST_PLACES = 64
MOST_TRIED = 1024
MOST_AT_ONCE = 4
MOST_UNDER_WAY = 32
MOST_NEW_OF_SENDER = 5  # in a minute: a stranger may name any certificate of a pinned host, and others need theirs
MOST_NEW_OF_HOST = 20  # likewise, of all senders
MOST_NEW = 60  # of all hosts
MOST_WAITING = 16  # requests
MOST_WAITING_BYTES = 8 * 1024 * 1024  # of bodies, beside the first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    keys: PublishedKeys
    fresh_until: Micros  # on the steady clock, as all times here
    stale_until: Micros


class _New(NamedTuple):
    at: Micros
    host: str
    sender: str  # of an IPv6 address its /64


class KeyHolder:
    """See web.listener.judging.KeySource."""

    def __init__(self, *, connect: Callable[[str], httpx.AsyncBaseTransport], clock: Clock, tasks: Tasks) -> None:
        """`connect` opens a transport to an address; it is closed after each fetch."""
        self._connect = connect
        self._clock = clock
        self._tasks = tasks
        self._kept: OrderedDict[KeyPlace, _Kept] = OrderedDict()  # the one that was fetched first is first
        self._fresh: dict[KeyPlace, PublishedKeys] = {}
        self._fresh_until: Micros | None = None  # when the first of them ends
        self._tried: OrderedDict[KeyPlace, Micros] = OrderedDict()
        self._new: deque[_New] = deque()  # the places of the last minute that had never given a key
        self._under_way: dict[KeyPlace, asyncio.Task[None]] = {}
        self._few = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0
        self._waiting_bytes = 0

    @property
    def at_hand(self) -> Keys:
        """What is fresh."""
        if self._fresh_until is not None and self._clock.steady() >= self._fresh_until:
            self._sort_out()
        return self._fresh

    async def fetch(self, places: Sequence[KeyPlace], *, sender: str, size: int, seconds: float) -> Keys:
        """What is to be had of the places. Whoever asks has looked at hand first: so each is fetched again where it may be.

        A fetch goes on when the time is over: whoever asks next finds what it brought. When too many wait already, nobody
        waits: only what is there is given.
        """
        under_way = [task for place in dict.fromkeys(places) if (task := self._start(place, key_of(sender)))]
        if under_way and seconds > 0 and self._enter(size):
            try:
                await asyncio.wait(under_way, timeout=seconds)
            finally:
                self._leave(size)
        return {place: keys for place in places if (keys := self._usable(place))}

    def _enter(self, size: int) -> bool:
        if self._waiting and (self._waiting >= MOST_WAITING or self._waiting_bytes + size > MOST_WAITING_BYTES):
            return False
        self._waiting += 1
        self._waiting_bytes += size
        return True

    def _leave(self, size: int) -> None:
        self._waiting -= 1
        self._waiting_bytes -= size

    def _usable(self, place: KeyPlace) -> PublishedKeys | None:
        kept = self._kept.get(place)
        return kept.keys if kept and self._clock.steady() < kept.stale_until else None

    def _start(self, place: KeyPlace, sender: str) -> asyncio.Task[None] | None:
        """The fetch of a place: the one under way, else a new one where there may be one."""
        if (task := self._under_way.get(place)) is not None:
            return task
        if not self._may(place, sender):
            return None
        self._tried[place] = self._clock.steady()
        self._tried.move_to_end(place)
        while len(self._tried) > MOST_TRIED:
            self._tried.popitem(last=False)
        task = self._tasks.spawn(self._fill(place), name="published keys")
        self._under_way[place] = task
        task.add_done_callback(lambda _: self._under_way.pop(place, None))
        return task

    def _may(self, place: KeyPlace, sender: str) -> bool:
        now, host = self._clock.steady(), host_of(place.url)
        if host is None or len(self._under_way) >= MOST_UNDER_WAY or now - self._tried.get(place, -AGAIN) < AGAIN:
            return False
        if place in self._kept:
            return True
        while self._new and now - self._new[0].at >= MINUTE:
            self._new.popleft()
        if len(self._new) >= MOST_NEW or sum(new.host == host for new in self._new) >= MOST_NEW_OF_HOST:
            return False
        if sum(new.sender == sender for new in self._new) >= MOST_NEW_OF_SENDER:
            return False
        self._new.append(_New(now, host, sender))
        return True

    async def _fill(self, place: KeyPlace) -> None:
        try:
            async with self._few, asyncio.timeout(DEADLINE):
                transport = self._connect(place.url)
                try:
                    fetched = await fetch_keys(place, transport, now=self._clock.now())
                finally:
                    await transport.aclose()
        except (httpx.TransportError, httpx.InvalidURL, OSError, ValueError) as error:  # TimeoutError is an OSError
            why = str(error) or getattr(error, "code", type(error).__name__)
            log.warning("keys_not_fetched", host=host_of(place.url), kind=place.kind, why=why)
            return
        self._keep(place, fetched)

    def _keep(self, place: KeyPlace, fetched: Fetched) -> None:
        now = self._clock.steady()
        span = USUALLY_KEPT if fetched.max_age is None else min(max(fetched.max_age, LEAST_KEPT), MOST_KEPT)
        self._kept[place] = _Kept(keys=fetched.keys, fresh_until=now + span, stale_until=now + span + STALE_KEPT)
        self._kept.move_to_end(place)
        while len(self._kept) > MOST_PLACES:
            self._kept.popitem(last=False)
        self._sort_out()

    def _sort_out(self) -> None:
        now = self._clock.steady()
        for place in [place for place, kept in self._kept.items() if now >= kept.stale_until]:
            del self._kept[place]
        fresh = {place: kept for place, kept in self._kept.items() if now < kept.fresh_until}
        self._fresh = {place: kept.keys for place, kept in fresh.items()}
        self._fresh_until = min((kept.fresh_until for kept in fresh.values()), default=None)

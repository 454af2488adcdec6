"""The hub: what the proxy's public listener needs of the process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from store.organisations import Organisations, PairedAgent
from store.queue import Queue, Quota
from store.server_settings import ServerSettings
from touchpoints.moment import Micros
from touchpoints.pull.key import Chance
from web.listener.budget import Budget
from web.listener.proxies import TrustedProxies
from web.proxy.asks import Asks
from web.proxy.bells import Bells
from web.proxy.data_keys import DataKeys
from web.proxy.directory import Directory
from web.proxy.gatekeeper import Gatekeeper
from web.proxy.readiness import Readiness
from web.proxy.sightings import Sightings


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Everything the handlers reach for."""

    queue: Callable[[], Queue | None]  # None: the queue's file cannot be used now, or the disk is nearly full
    organisations: Organisations
    directory: Callable[[], Directory]  # the current snapshot
    refresh: Callable[[], Awaitable[None]]  # organisations, agents or endpoints changed: make the snapshot anew
    settings: Callable[[], ServerSettings]
    signing_key: bytes = field(repr=False)  # the proxy's private Ed25519 key
    gatekeeper: Gatekeeper
    readiness: Readiness
    bells: Bells
    asks: Asks
    sightings: Sightings
    data_keys: DataKeys
    budget: Budget  # for bodies on their way in
    outgoing: Budget  # for batches on their way out: agents together must not take all memory there is
    trusted_proxies: Callable[[], TrustedProxies]
    now: Callable[[], Micros]
    steady: Callable[[], Micros]  # a clock that never jumps: leases are judged by it
    new_id: Callable[[Micros], str]
    new_incarnation: Callable[[], str]
    chance: Chance
    received: Callable[[int], None] = lambda _organisation: None  # told of each stored event, for figures
    closing: Callable[[], bool] = lambda: False  # the process ends: waiting pulls are answered now
    migrating: Callable[[], bool] = lambda: False  # the queue's file is being brought up to date
    patience: float = 10.0  # seconds a body waits for its part of the budget

    def agent(self, agent_id: str) -> PairedAgent | None:
        """An agent that may speak, as the snapshot knows it."""
        return self.directory().agents.get(agent_id)

    def quota(self, organisation: int) -> Quota:
        """How much may wait for an organisation."""
        kept, settings = self.directory().organisations.get(organisation), self.settings()
        events = kept.quota_events if kept else None
        size = kept.quota_bytes if kept else None
        return Quota(
            events=settings.quota_events if events is None else events,
            bytes=settings.quota_bytes if size is None else size,
        )

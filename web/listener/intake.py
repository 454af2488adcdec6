"""The intake: a request that was read becomes a stored event, a refusal, or an answer. A test event goes the same way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from store.inbox import Inbox, StoreUnavailable
from store.settings import Limits
from touchpoints.event import Arrival, ArrivedBy, Event, Headers
from touchpoints.judge import LARGE, event_of, judge
from touchpoints.moment import Micros
from touchpoints.request import Answer, Refused, Request
from web.listener.budget import Budget
from web.listener.endpoint import Directory, Endpoint
from web.listener.proxies import TrustedProxies


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the public listener needs of the process."""

    directory: Callable[[], Directory]  # the current snapshot
    inbox: Callable[[], Inbox | None]  # None: the events file cannot be used now
    limits: Callable[[], Limits]
    trusted_proxies: Callable[[], TrustedProxies]
    budget: Budget
    now: Callable[[], Micros]
    new_id: Callable[[Micros], str]
    arrived: Callable[[], None]  # an event was committed: wake the drain
    refused: Callable[[Event, bytes], None]  # a refused request, to be counted and sampled
    patience: float = 10.0  # seconds a body waits for its part of the budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of a request: what its sender is answered, and the event, where there is one."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    event: Event | None = None


async def intake(deps: Intake, request: Request, endpoint: Endpoint, *, test: bool = False) -> Taken:
    """Verify a request and store it. Returns 200 only after the commit; never raises for what a sender or a store did."""
    touchpoint = endpoint.touchpoint
    large = len(request.body) > LARGE
    judged = await asyncio.to_thread(judge, request, touchpoint) if large else judge(request, touchpoint)
    received = judged.received
    if isinstance(received, Answer):
        return Taken(status=received.status, headers=received.headers, body=received.body)
    new_id = deps.new_id(request.received_at)
    event = event_of(new_id, request, touchpoint.id, judged, arrived_by=ArrivedBy.DIRECT, test=test)
    if isinstance(received, Refused):
        deps.refused(event, request.body)
        return Taken(status=401, event=event)
    inbox = deps.inbox()
    if inbox is None:
        return _unavailable(30)
    try:
        await inbox.put(Arrival(event=event, body=request.body))
    except StoreUnavailable as unavailable:
        return _unavailable(unavailable.retry_after)
    deps.arrived()
    return Taken(status=200, event=event)


def _unavailable(retry_after: int) -> Taken:
    return Taken(status=503, headers=((b"retry-after", str(retry_after).encode()),))

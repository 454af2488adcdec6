"""The intake: a request that was read becomes a stored event, a refusal, or an answer. A test event goes the same way."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from store.inbox import Inbox, StoreUnavailable
from store.settings import Limits
from touchpoints.event import Arrival, ArrivedBy, Event, Headers, Verdict
from touchpoints.moment import Micros
from touchpoints.receive import receive
from touchpoints.request import Answer, Received, Refused, Request, Verified
from web.listener.budget import Budget
from web.listener.endpoint import Directory, Endpoint
from web.listener.proxies import TrustedProxies

LARGE = 1024 * 1024  # from here a body is hashed and verified in a thread, so that others go on meanwhile


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
    large = len(request.body) > LARGE
    received, digest = await asyncio.to_thread(_judge, request, endpoint) if large else _judge(request, endpoint)
    if isinstance(received, Answer):
        return Taken(status=received.status, headers=received.headers, body=received.body)
    event = _event(deps.new_id(request.received_at), request, endpoint, received, digest, test=test)
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


def _judge(request: Request, endpoint: Endpoint) -> tuple[Received, bytes]:
    return receive(request, endpoint.touchpoint), hashlib.sha256(request.body).digest()


def _unavailable(retry_after: int) -> Taken:
    return Taken(status=503, headers=((b"retry-after", str(retry_after).encode()),))


def _event(
    event_id: str, request: Request, endpoint: Endpoint, received: Verified | Refused, digest: bytes, *, test: bool
) -> Event:
    verified = received if isinstance(received, Verified) else Verified()
    return Event(
        id=event_id,
        touchpoint=endpoint.touchpoint.id,
        received_at=request.received_at,
        arrived_by=ArrivedBy.DIRECT,
        verdict=Verdict.ACCEPTED if isinstance(received, Verified) else Verdict.REFUSED,
        reason=received.code if isinstance(received, Refused) else "",
        method=request.method,
        target=request.target,
        headers=request.headers,
        remote=request.remote,
        event_type=verified.event_type,
        dedup_key=verified.dedup_key,
        reference=verified.reference,
        body_bytes=len(request.body),
        body_hash=digest,
        id_signed=verified.id_signed,
        test=test,
        hop=verified.hop,
    )

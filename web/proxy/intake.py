"""The intake at the proxy: a request to an endpoint URL is sealed and queued, or answered at once."""

import asyncio
import hashlib

from store.inbox import StoreUnavailable
from store.organisations import ProxyEndpoint
from store.queue import Parcel, Queue, QuotaReached
from touchpoints import handshake
from touchpoints.ack import ACKS
from touchpoints.judge import LARGE
from touchpoints.pull.message import CANNOT_ANSWER, CANNOT_NOW, Ask
from touchpoints.pull.packed import Packed, pack
from touchpoints.pull.sealing import SealBroken, SealingKey
from touchpoints.request import Request
from web.listener.intake import Taken, answered, not_allowed
from web.proxy.asks import NobodyAnswers
from web.proxy.hub import Hub

_FULL = Taken(status=503, headers=((b"retry-after", b"300"),))
_NOBODY = Taken(status=503, headers=((b"retry-after", b"5"),))


async def intake(hub: Hub, request: Request, endpoint: ProxyEndpoint) -> Taken:
    """Seal a request and store it. A 2xx only after the commit; never raises for what a sender or a store did."""
    asks = False
    if endpoint.handshake:
        if answer := handshake.proxy_answer(request, endpoint.handshake, endpoint.methods):
            return answered(answer)
        asks = handshake.needs_agent(request, endpoint.handshake)
    if not asks and request.method not in endpoint.methods:
        return not_allowed(endpoint.methods)
    organisation = hub.directory().organisations.get(endpoint.organisation)
    queue = hub.queue()
    if queue is None or organisation is None or organisation.sealing_key is None:
        return _NOBODY
    event_id = hub.new_id(request.received_at)
    try:
        key = await hub.data_keys.current(endpoint.organisation, organisation.sealing_key, queue)
        sealed = await _seal(key, request, endpoint, event_id)
        if asks and (taken := await _ask(hub, key, sealed, endpoint, event_id)):
            return taken
        if request.method not in endpoint.methods:
            return not_allowed(endpoint.methods)
        return await _put(hub, queue, key, sealed, request, endpoint, event_id)
    except StoreUnavailable as unavailable:
        return Taken(status=503, headers=((b"retry-after", str(unavailable.retry_after).encode()),))
    except SealBroken:
        return _NOBODY


async def _put(
    hub: Hub, queue: Queue, key: SealingKey, sealed: bytes, request: Request, endpoint: ProxyEndpoint, event_id: str
) -> Taken:
    parcel = Parcel(
        organisation=endpoint.organisation,
        endpoint=endpoint.id,
        id=event_id,
        received_at=request.received_at,
        key_id=key.id,
        digest=hashlib.sha256(sealed).digest(),
        data=sealed,
    )
    try:
        await queue.put(parcel, hub.quota(endpoint.organisation))
    except QuotaReached:
        return _FULL
    hub.bells.ring(endpoint.organisation)
    hub.received(endpoint.organisation)
    ack = ACKS[endpoint.ack]
    return Taken(status=ack.status, headers=ack.headers, body=ack.body)


async def _seal(key: SealingKey, request: Request, endpoint: ProxyEndpoint, event_id: str) -> bytes:
    packed = Packed(
        event_id=event_id,
        touchpoint=endpoint.touchpoint,
        method=request.method,
        target=request.target,
        headers=request.headers,
        remote=request.remote,
        received_at=request.received_at,
        body=request.body,
    )
    if len(request.body) <= LARGE:
        return key.seal(pack(packed), event_id=event_id)
    return await asyncio.to_thread(lambda: key.seal(pack(packed), event_id=event_id))


async def _ask(hub: Hub, key: SealingKey, sealed: bytes, endpoint: ProxyEndpoint, event_id: str) -> Taken | None:
    """The agent's answer; None where it does not take the request for a handshake: then it is an event like any other."""
    try:
        reply = await hub.asks.ask(
            endpoint.organisation, lambda seconds: Ask(id=event_id, key_id=key.id, data=sealed, seconds=seconds)
        )
    except NobodyAnswers:
        return _NOBODY
    if reply.status == CANNOT_ANSWER:
        return None
    if reply.status == CANNOT_NOW:
        return _NOBODY
    return Taken(status=reply.status, headers=reply.headers, body=reply.body)

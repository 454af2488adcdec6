"""Judging: what a received request is worth, and the event it becomes. The same for a listener's and for a pulled one."""

import hashlib
from dataclasses import dataclass

from touchpoints.event import CLIENT_CERTIFICATE, ArrivedBy, Event, Verdict
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.receive import receive
from touchpoints.request import Received, Refused, Request, Verified
from touchpoints.touchpoint import Touchpoint

LARGE = 1024 * 1024  # from here a body is judged in a thread, so that others go on meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What judging found: `received`, and the body's SHA-256."""

    received: Received
    digest: bytes


def judge(request: Request, touchpoint: Touchpoint, keys: Keys = NO_KEYS) -> Judged:
    """Verify a request; costs time by its body's length."""
    return Judged(received=receive(request, touchpoint, keys), digest=hashlib.sha256(request.body).digest())


def event_of(
    event_id: str,
    request: Request,
    touchpoint: int,
    judged: Judged,
    *,
    arrived_by: ArrivedBy,
    test: bool = False,
) -> Event:
    """The event of a request that is verified or refused; one that was answered has none."""
    received = judged.received
    verified = received if isinstance(received, Verified) else Verified()
    proved = request.client_certificate
    return Event(
        id=event_id,
        touchpoint=touchpoint,
        received_at=request.received_at,
        arrived_by=arrived_by,
        verdict=Verdict.ACCEPTED if isinstance(received, Verified) else Verdict.REFUSED,
        reason=received.code if isinstance(received, Refused) else "",
        method=request.method,
        target=request.target,
        headers=(*request.headers, (CLIENT_CERTIFICATE, proved.encode())) if proved else request.headers,
        remote=request.remote,
        event_type=verified.event_type,
        dedup_key=verified.dedup_key,
        reference=verified.reference,
        body_bytes=len(request.body),
        body_hash=judged.digest,
        id_signed=verified.id_signed,
        test=test,
        hop=verified.hop,
    )


def request_of(event: Event, body: bytes, url: str) -> Request:
    """The request that a stored event came by; `url` is what its sender was given, without the query."""
    query = event.target.partition("?")[2]
    # Only what our own listener noted counts: a hosted proxy could claim anything.
    proved = [value for name, value in event.headers if name == CLIENT_CERTIFICATE and event.arrived_by is ArrivedBy.DIRECT]
    return Request(
        method=event.method,
        target=event.target,
        headers=tuple(header for header in event.headers if header[0] != CLIENT_CERTIFICATE),
        body=body,
        remote=event.remote,
        received_at=event.received_at,
        url=url + (f"?{query}" if query else ""),
        client_certificate=proved[-1].decode("latin-1") if proved else "",
    )

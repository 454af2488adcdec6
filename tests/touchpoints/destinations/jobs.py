"""Jobs to attempt."""

import hashlib

from touchpoints.delivery import Delivery, Job
from touchpoints.event import ArrivedBy, Event, Headers, Verdict
from touchpoints.moment import SECOND

NOW = 1_800_000_000 * SECOND
HEADERS: Headers = ((b"host", b"hooks.example.com"), (b"content-type", b"application/json"), (b"content-length", b"8"))


def job(
    body: bytes = b'{"a": 1}',
    *,
    headers: Headers = HEADERS,
    attempts: int = 0,
    hop: int = 0,
    test: bool = False,
    kind: str = "t",
) -> Job:
    """A claimed delivery of an event with this body."""
    event = Event(
        id="01JDXEVENT0000000000000000",
        touchpoint=1,
        received_at=NOW,
        arrived_by=ArrivedBy.DIRECT,
        verdict=Verdict.ACCEPTED,
        method="POST",
        target="/hooks/orders",
        headers=headers,
        remote="192.0.2.1",
        event_type=kind,
        body_bytes=len(body),
        body_hash=hashlib.sha256(body).digest(),
        hop=hop,
        test=test,
    )
    delivery = Delivery(
        id="01JDXEVENT0000000000000000-abcdefgh", event_id=event.id, touchpoint=1, destination=1, attempts=attempts
    )
    return Job(seq=1, delivery=delivery, event=event, body=body)

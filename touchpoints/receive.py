"""Receiving: what a request to a touchpoint comes to. The listener's hot path: nothing is parsed that nobody asks for."""

import hashlib

from touchpoints import handshake
from touchpoints.admission import admit
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.request import Received, Refused, Request, Verified
from touchpoints.selector import LONGEST_VALUE, Reading, bounded, selector
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import verify

MOST_HOPS = 8


def receive(request: Request, touchpoint: Touchpoint, keys: Keys = NO_KEYS) -> Received:
    """`Verified` with what was read out, `Refused` with a problem code, the `Answer` to a handshake, or `Wanting` for keys.

    Timestamps are compared with `request.received_at`, so that an event verified again later is judged by when it came.
    """
    if (refused := admit(request, touchpoint)) is not None:
        return refused
    reading = Reading(request)
    if touchpoint.handshake and (answer := handshake.before(reading, touchpoint)):
        return answer
    if request.method not in touchpoint.methods:
        return Refused(code="method_wrong")
    hop = _hop(reading)
    if hop > MOST_HOPS:
        return Refused(code="hop_limit")
    if (unproved := verify(reading, touchpoint, request.received_at, keys)) is not None:
        return unproved
    if touchpoint.handshake and (later := handshake.after(reading, touchpoint)):
        return later
    return read_out(reading, touchpoint, hop)


def read_out(reading: Reading, touchpoint: Touchpoint, hop: int) -> Verified:
    """What the touchpoint's selectors find in a request whose sender is proved."""
    reference = _text(touchpoint.reference, reading)
    return Verified(
        event_type=bounded(_text(touchpoint.event_type, reading)),
        dedup_key=_dedup_key(reading, touchpoint),
        id_signed=touchpoint.dedup.signed,
        reference=bounded(reference) if reference else None,
        hop=hop,
    )


def _text(place: str, reading: Reading) -> str:
    return selector(place).text(reading) if place else ""


def _dedup_key(reading: Reading, touchpoint: Touchpoint) -> str | None:
    """`<touchpoint id>:<value>`: two touchpoints may get the same event. A long value stands as its hash."""
    value = _text(touchpoint.dedup.key, reading)
    if not value:
        return None
    if len(value) > LONGEST_VALUE:
        value = "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{touchpoint.id}:{value}"


def _hop(reading: Reading) -> int:
    """How often a Hookport already passed the event on; what isn't a plain number counts as never."""
    hops = [int(value) for value in reading.headers(b"hookport-hop") if len(value) < 10 and value.isdigit()]
    return max(hops, default=0)

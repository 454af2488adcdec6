"""The event: one received webhook, its bytes exactly as sent."""

from dataclasses import dataclass
from enum import StrEnum

from touchpoints.moment import Micros

# Names lower-cased by the HTTP parser; values, order and duplicates exactly as sent.
Headers = tuple[tuple[bytes, bytes], ...]

# The SHA-256 of the certificate that a TLS client proved stands among an event's headers, under a name that none can have.
CLIENT_CERTIFICATE = b":client-certificate"


class ArrivedBy(StrEnum):
    """The path an event came by."""

    DIRECT = "direct"
    PROXY = "proxy"


class Verdict(StrEnum):
    """What became of an event before any delivery."""

    ACCEPTED = "accepted"  # verified; in the inbox until planned
    REFUSED = "refused"  # failed verification; never planned unless verified again
    DUPLICATE = "duplicate"  # same dedup key as a verified event
    FILTERED = "filtered"  # verified, but its type is not among the touchpoint's `events`
    SPLIT = "split"  # verified; each item of its body is an event of its own, which runs in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One received webhook without its body, which travels beside it so that lists and settling never carry it."""

    id: str  # 26 characters, sorts by time; the caller's id maker gives it
    touchpoint: int  # the touchpoint's id in the configuration, stable across renames
    received_at: Micros
    arrived_by: ArrivedBy
    verdict: Verdict
    reason: str = ""  # a problem code; empty unless refused
    method: str
    target: str  # raw path and query as sent, ASCII
    headers: Headers
    remote: str  # the sender's address, after trusted proxies
    event_type: str = ""
    dedup_key: str | None = None
    reference: str | None = None
    body_bytes: int
    body_hash: bytes  # SHA-256 of the body
    id_signed: bool = True  # False when the dedup id is not covered by the signature (Shopify's and GitHub's headers)
    test: bool = False
    hop: int = 0  # how often a Hookport already passed it on (the received Hookport-Hop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event and its body on their way into an inbox."""

    event: Event
    body: bytes

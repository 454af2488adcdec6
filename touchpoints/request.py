"""A request as the listener read it, and what deciding about it comes to. Refusal is a value: wrong senders are normal."""

from dataclasses import dataclass

from touchpoints.event import Headers
from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request to an endpoint URL, read whole."""

    method: str
    target: str  # raw path and query as sent
    headers: Headers
    body: bytes
    remote: str
    received_at: Micros
    url: str  # the endpoint URL the sender was given, with the query as sent; never built from Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The sender is proved; what was read out of the request on the way."""

    event_type: str = ""
    dedup_key: str | None = None
    id_signed: bool = True
    reference: str | None = None
    hop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The sender is not proved. `code` is a problem code: signature_missing, signature_wrong, timestamp_stale, no_secret …"""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A handshake or ping: answered at once, nothing stored."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""


Received = Verified | Refused | Answer

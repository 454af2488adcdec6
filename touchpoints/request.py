"""A request as the listener read it, and what deciding about it comes to. Refusal is a value: wrong senders are normal."""

from dataclasses import dataclass, field

from touchpoints.event import Headers
from touchpoints.moment import Micros
from touchpoints.published_key import KeyPlace


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
    client_certificate: str = ""  # SHA-256 in hex of the certificate its TLS client proved; empty: none


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
    """A handshake or ping: answered at once, nothing stored.

    Where `secret` or `visit` is there, the answer may be given only after that was done, and 503 where it could not be:
    `secret` becomes the touchpoint's secret (it is in setup), `visit` is an https address of a pinned host to be fetched once.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    secret: str = field(default="", repr=False)
    visit: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """It cannot be told yet: published keys are wanted, which their holder has to fetch. Then it is received once more."""

    keys: tuple[KeyPlace, ...]


Received = Verified | Refused | Answer | Wanting

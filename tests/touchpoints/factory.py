"""Touchpoints and requests with sensible defaults, for tests."""

from collections.abc import Iterable
from typing import Any

from touchpoints.event import Headers
from touchpoints.moment import SECOND, Micros
from touchpoints.provider import provider
from touchpoints.request import Request
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import secret_problem, taken

NOW: Micros = 1_795_000_000 * SECOND
URL = "https://hooks.example.com:8420/hooks/orders"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def make_request(body: bytes = b"{}", headers: Iterable[tuple[bytes, bytes]] = (), **fields: Any) -> Request:
    """A request to the endpoint `orders`."""
    fields = {"method": "POST", "target": "/hooks/orders", "remote": "192.0.2.1", "received_at": NOW, "url": URL, **fields}
    return Request(body=body, headers=tuple(headers), **fields)


def make_touchpoint(name: str = "shopify", *secrets: str, **fields: Any) -> Touchpoint:
    """A touchpoint as the definition makes it from a provider's preset; `fields` win."""
    preset = provider(name)
    made: dict[str, Any] = {
        "id": 7,
        "name": "orders",
        "provider": name,
        "secrets": secrets,
        "event_type": preset.event_type,
        "reference": preset.reference,
        "verification": preset.verification(),
        "alternatives": preset.other_verifications(),
        "dedup": preset.dedup_rule(),
        "handshake": preset.handshake,
        "methods": preset.methods,
        "ack": preset.ack,
    }
    return Touchpoint(**(made | fields))


_SECRETS = ("a-secret-of-at-least-thirty-two-characters", WHSEC, "00ff17ab", "public_1:private_1", "c2VjcmV0")


def fitting_secret(name: str) -> str:
    """A secret of the form that a provider's first verification takes; empty where only the sender can hold one."""
    preset = provider(name)
    first, others = preset.verification(), preset.other_verifications()
    fits = (one for one in _SECRETS if secret_problem(first, one, alternatives=others) is None and taken(first, (one,)))
    return next(fits, "")


def replaced(headers: Headers, name: str, *values: bytes) -> Headers:
    """The headers with the values of one replaced, by none, one or several."""
    key = name.encode()
    return (*(pair for pair in headers if pair[0] != key), *((key, value) for value in values))

"""Events as the API shows them. What strangers sent stands in JSON strings only; credentials they sent are hidden."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from store.log import Listed, RecordedAttempt, Timeline
from store.settings import Configuration
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import ArrivedBy, Event, Verdict
from touchpoints.moment import rfc3339
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import place_of
from web.api.shapes import AttemptShape, BodyShape, DeliveryShape, EventShape, EventShown
from web.control import Json
from web.export.names import Names, names_of

SHOWN_BODY = 256 * 1024
HIDDEN = "(hidden)"
MOST_NUMBERED = 100  # signatures of one request in headers of their own

_CREDENTIAL = re.compile(r"authori[sz]ation|cookie|credential|passw|secret|token|api[_-]?key|^(code|key)$", re.IGNORECASE)


def event_shape(listed: Listed, names: Names) -> EventShape:
    """One event of a list."""
    event = listed.event
    return {
        "id": event.id,
        "received_at": rfc3339(event.received_at),
        "touchpoint": names.touchpoint(event.touchpoint),
        "provider": names.provider(event.touchpoint),
        "event_type": event.event_type,
        "reference": event.reference,
        "dedup_key": event.dedup_key,
        "arrived_by": event.arrived_by.value,
        "verdict": event.verdict.value,
        "reason": event.reason,
        "waiting": listed.waiting,
        "duplicate_of": listed.duplicate_of,
        "item_of": listed.item_of,
        "flags": list(listed.flags),
        "test": event.test,
        "method": event.method,
        "remote": event.remote,
        "body_bytes": event.body_bytes,
        "deliveries": [_delivery_shape(delivery, names) for delivery in listed.deliveries],
    }


def event_shown(timeline: Timeline, body: bytes | None, configuration: Configuration) -> EventShown:
    """One event with its timeline, its request and, where it is small enough, its body."""
    event = timeline.listed.event
    touchpoint = next((one for one in configuration.touchpoints if one.id == event.touchpoint), None)
    hidden = _proof_names(touchpoint, signature=event.verdict is not Verdict.REFUSED)
    return {
        "event": event_shape(timeline.listed, names_of(configuration)),
        "target": _shown_target(_without_token(event), hidden),
        "headers": _shown_headers(((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers), hidden),
        "attempts": [_attempt_shape(attempt) for attempt in timeline.attempts],
        "duplicates": list(timeline.duplicates),
        "items": list(timeline.items),
        "body": _body_shape(event, body),
    }


def preview_shown(played: Json, touchpoint: Touchpoint) -> Json:
    """What a test event came to, without the proofs it was sent with: they would let a stranger send an event of one's own."""
    hidden = _proof_names(touchpoint, signature=True)
    for one in played["deliveries"]:
        if "headers" in one:
            one["headers"] = _shown_headers(one["headers"], hidden)
    return played


def _delivery_shape(delivery: Delivery, names: Names) -> DeliveryShape:
    pending = delivery.state is DeliveryState.PENDING
    return {
        "id": delivery.id,
        "destination": names.destination(delivery.destination),
        "run": delivery.run,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "due_at": rfc3339(delivery.due_at) if pending else None,
    }


def _attempt_shape(attempt: RecordedAttempt) -> AttemptShape:
    return {
        "delivery_id": attempt.delivery_id,
        "number": attempt.number,
        "started_at": rfc3339(attempt.started_at),
        "duration_ms": attempt.duration / 1000,
        "outcome": attempt.outcome,
        "http_status": attempt.http_status,
        "error_code": attempt.error_code,
        "error": attempt.error,
        "answer": attempt.answer.decode("utf-8", "replace"),
        "next_attempt_at": None if attempt.next_attempt_at is None else rfc3339(attempt.next_attempt_at),
    }


def _body_shape(event: Event, body: bytes | None) -> BodyShape:
    text = encoded = None
    if body is not None and len(body) <= SHOWN_BODY:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            encoded = base64.b64encode(body).decode()
    return {
        "bytes": event.body_bytes,
        "sha256": event.body_hash.hex(),
        "stored": body is not None,
        "text": text,
        "base64": encoded,
    }


def _proof_names(touchpoint: Touchpoint | None, *, signature: bool) -> frozenset[str]:
    """Names of headers and query parameters in which this touchpoint's senders prove themselves by a secret itself.

    With `signature`, those of signatures too: one that fits a body lets whoever knows it send that body again.
    """
    if touchpoint is None:
        return frozenset()
    every = (touchpoint.verification, *touchpoint.alternatives)
    proofs = [place for one in every for place in (one.credential, place_of(one) if signature else "")]
    named = {place.partition(":")[2].strip().lower() for proof in proofs for place in proof.split("|")}
    numbered = [
        one.layout.removeprefix("numbered:").lower() for one in every if signature and one.layout.startswith("numbered:")
    ]
    return frozenset(named).union(f"{prefix}{number}" for prefix in numbered for number in range(1, MOST_NUMBERED + 1))


def _is_credential(name: str, hidden: frozenset[str]) -> bool:
    return name.lower() in hidden or _CREDENTIAL.search(name) is not None


def _shown_headers(headers: Iterable[tuple[str, str]], hidden: frozenset[str]) -> list[tuple[str, str]]:
    return [(name, HIDDEN if _is_credential(name, hidden) else value) for name, value in headers]


def _without_token(event: Event) -> str:
    """The target; at a proxy its path ends in the token that lets anybody post."""
    if event.arrived_by is not ArrivedBy.PROXY:
        return event.target
    path, mark, query = event.target.partition("?")
    return f"{path.rpartition('/')[0]}/{HIDDEN}{mark}{query}"


def _shown_target(target: str, hidden: frozenset[str]) -> str:
    path, mark, query = target.partition("?")
    parts = [part.partition("=") for part in query.split("&")]
    shown = [
        f"{name}{equals}{HIDDEN if equals and _is_credential(unquote_plus(name), hidden) else value}"
        for name, equals, value in parts
    ]
    return f"{path}{mark}{'&'.join(shown)}"

"""Handshakes and pings: what some senders ask before or instead of an event, answered at once and never stored as one.

A touchpoint's `handshake` names kinds with their arguments, `kind:argument`, several divided by `|`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from touchpoints.handshakes import capture, echo, probe, signed, visit
from touchpoints.handshakes.challenge import LONGEST_BODY
from touchpoints.handshakes.kind import MALFORMED, ClosedKind, Kind, OpenKind
from touchpoints.problem import Problem, problem
from touchpoints.request import Answer, Refused, Request
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "echo_query": echo.ECHO_QUERY,
        "echo_query_if_token": signed.ECHO_QUERY_IF_TOKEN,
        "echo_header_json": echo.ECHO_HEADER_JSON,
        "echo_header": capture.ECHO_HEADER,
        "json_challenge": echo.JSON_CHALLENGE,
        "validation_code": echo.VALIDATION_CODE,
        "sha256_concat": signed.SHA256_CONCAT,
        "hmac_token:crc_token": signed.CRC_TOKEN,
        "hmac_token:plainToken": signed.PLAIN_TOKEN,
        "hmac_token:bt_challenge": signed.BT_CHALLENGE,
        "options": echo.OPTIONS,
        "status_probe": probe.STATUS_PROBE,
        "form_ping": probe.FORM_PING,
        "capture_json": capture.CAPTURE_JSON,
        "itr": probe.ITR,
        "fetch_url": visit.FETCH_URL,
    }
)

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class _Step:
    kind: Kind
    argument: str
    methods: tuple[str, ...]


@lru_cache(maxsize=1024)
def _steps(handshake: str) -> tuple[_Step, ...]:
    """The kinds of a handshake; what this program does not know is passed over: an agent may be newer than its proxy."""
    found = []
    for part in handshake.split("|"):
        try:
            found.append(_step(part.strip()))
        except ValueError:
            continue
    return tuple(found)


def _step(text: str) -> _Step:
    """Raises ValueError in words."""
    name, _, argument = text.partition(":")
    kind = KINDS.get(text) or KINDS.get(name)
    if kind is None:
        raise ValueError(f'"{text[:40]}" is none of {", ".join(KINDS)}')
    return _Step(kind, argument, kind.methods(argument))


def handshake_problem(handshake: str, *, path: str = "") -> Problem | None:
    """What is wrong with a handshake of a configuration or of a provider's file, or None; empty is allowed."""
    try:
        for part in handshake.split("|") if handshake else ():
            _step(part.strip())
    except ValueError as error:
        return problem("handshake_invalid", path=path, reason=error)
    return None


def methods_of(handshake: str) -> tuple[str, ...]:
    """The methods of handshakes, which a listener must let through beside those of events."""
    return tuple(dict.fromkeys(method for step in _steps(handshake) for method in step.methods))


def before(reading: Reading, touchpoint: Touchpoint) -> Answer | None:
    """The answer to a handshake that is answered without a proof of its sender, else None.

    - One by a method that events do not have is refused when it has a body: nothing of it was ever looked at.
    - While a touchpoint has no secret, some signed ones are answered, too: the sender's page needs the answer, and nothing
      else is accepted.
    """
    for step in _asked(reading.request, touchpoint.handshake):
        if _is_odd(reading.request, touchpoint.methods):
            return MALFORMED
        if answer := _unproved(step, reading, touchpoint):
            return answer
    return None


def _unproved(step: _Step, reading: Reading, touchpoint: Touchpoint) -> Answer | None:
    kind = step.kind
    if isinstance(kind, OpenKind):
        return None if kind.unsigned and _is_signed(reading, touchpoint) else kind.answer(reading.request, step.argument)
    if kind.proof == "none" or (kind.proof == "unless_setup" and not touchpoint.secrets):
        return _closed(kind, reading, touchpoint, step.argument)
    return None


def after(reading: Reading, touchpoint: Touchpoint) -> Answer | Refused | None:
    """The answer to a handshake whose sender is proved, else None: then it is an event.

    `Refused` where an event could be something that was signed as the answer to a challenge: a stranger may have had it signed.
    """
    for step in _steps(touchpoint.handshake):
        kind = step.kind
        if isinstance(kind, OpenKind):
            continue
        if kind.stands_for is not None and kind.stands_for(reading, step.argument):
            return Refused(code="challenge_as_event")
        wanted = kind.proof != "none" and reading.request.method in step.methods
        if wanted and (answer := _closed(kind, reading, touchpoint, step.argument)):
            return answer
    return None


def proxy_answer(request: Request, handshake: str, methods: tuple[str, ...]) -> Answer | None:
    """What a hosted proxy, which has no secret, answers by itself; None for everything else, events above all.

    `methods` are those of events.
    """
    for step in _asked(request, handshake):
        if _is_odd(request, methods):
            return MALFORMED
        if isinstance(step.kind, OpenKind) and (answer := step.kind.answer(request, step.argument)):
            return answer
    return None


def needs_agent(request: Request, handshake: str) -> bool:
    """Whether a request may be a handshake that only an agent can answer; a wrong yes costs a moment, and loses nothing.

    No large one may: it would go out of turn, and strangers can send them.
    """
    return len(request.body) <= LONGEST_BODY and any(kind.asks for kind in _closed_ones(Reading(request), handshake))


def refuses(request: Request, handshake: str) -> bool:
    """Whether the sender of an asked request must be told that it proved nothing, instead of its being kept."""
    return any(kind.refuses for kind in _closed_ones(Reading(request), handshake))


def shows_secret(handshake: str) -> bool:
    """Whether a secret that was captured has to be entered at the sender by a person."""
    return any(isinstance(step.kind, ClosedKind) and step.kind.shows for step in _steps(handshake))


def _closed_ones(reading: Reading, handshake: str) -> list[ClosedKind]:
    return [
        step.kind
        for step in _asked(reading.request, handshake)
        if isinstance(step.kind, ClosedKind) and step.kind.is_one(reading, step.argument)
    ]


def _asked(request: Request, handshake: str) -> list[_Step]:
    return [step for step in _steps(handshake) if request.method in step.methods]


def _is_odd(request: Request, methods: tuple[str, ...]) -> bool:
    return bool(request.body) and request.method in _WITHOUT_BODY and request.method not in methods


def _is_signed(reading: Reading, touchpoint: Touchpoint) -> bool:
    place = touchpoint.verification.signature or touchpoint.verification.credential
    return bool(place and selector(place).values(reading))


def _closed(kind: ClosedKind, reading: Reading, touchpoint: Touchpoint, argument: str) -> Answer | None:
    return kind.answer(reading, touchpoint, argument) if kind.is_one(reading, argument) else None

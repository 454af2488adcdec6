"""Handshakes and pings: what some senders ask before or instead of an event, answered at once and never stored."""

import re
from collections.abc import Callable

from touchpoints.request import Answer, Request
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint

Handshake = Callable[[Reading, Touchpoint, str], Answer | None]

# Echoed to whoever asks, so it must look like a token and like nothing a browser would run.
_CHALLENGE = re.compile(r"[A-Za-z0-9._~+/=-]{1,256}")
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff"))


def _form_ping(reading: Reading, touchpoint: Touchpoint, field: str) -> Answer | None:
    """WooCommerce's ping on saving a webhook: an unsigned form `webhook_id=N` that must get 2xx."""
    if selector(touchpoint.verification.signature).values(reading):
        return None
    return _ping(reading.request, field)


def _ping(request: Request, field: str) -> Answer | None:
    body = request.body
    if len(body) > len(field) + 20 or re.fullmatch(rb"%b=[0-9]{1,19}" % field.encode(), body) is None:
        return None
    return Answer()


def _is_json_challenge(reading: Reading, kind: str) -> bool:
    return len(reading.request.body) <= 4096 and selector("json:/type").text(reading) == kind


def _json_challenge(reading: Reading, _touchpoint: Touchpoint, kind: str) -> Answer | None:
    """Slack's `{"type": "url_verification", "challenge": V}`, answered with V as plain text."""
    if not _is_json_challenge(reading, kind):
        return None
    challenge = selector("json:/challenge").text(reading)
    if _CHALLENGE.fullmatch(challenge) is None:
        return Answer(status=400)
    return Answer(headers=_TEXT, body=challenge.encode())


BEFORE: dict[str, Handshake] = {"form_ping": _form_ping}
AFTER: dict[str, Handshake] = {"json_challenge": _json_challenge}
UNPROVED: dict[str, Callable[[Request, str], Answer | None]] = {"form_ping": _ping}  # without secret or selector
CHALLENGES: dict[str, Callable[[Reading, str], bool]] = {"json_challenge": _is_json_challenge}


def answer(reading: Reading, touchpoint: Touchpoint, *, proved: bool) -> Answer | None:
    """The answer when this request is a handshake, else None.

    Handshakes that carry no proof are answered before verification (`proved=False`), signed ones after it, and before it only
    while the touchpoint is in setup: the sender's page needs the answer, and without a secret nothing else is accepted.
    """
    kind, _, argument = touchpoint.handshake.partition(":")
    signed = proved or not touchpoint.secrets
    handshake = AFTER.get(kind) if signed else None
    if not proved:
        handshake = BEFORE.get(kind, handshake)
    return handshake(reading, touchpoint, argument) if handshake else None


def proxy_answer(request: Request, handshake: str) -> Answer | None:
    """What a hosted proxy, which has no secret, answers by itself; None for everything else, events above all."""
    kind, _, argument = handshake.partition(":")
    answering = UNPROVED.get(kind)
    return answering(request, argument) if answering else None


def needs_agent(request: Request, handshake: str) -> bool:
    """Whether a request may be a handshake that only an agent can answer; a wrong yes costs a moment, and loses nothing."""
    kind, _, argument = handshake.partition(":")
    asking = AFTER.get(kind)
    return asking is not None and CHALLENGES[kind](Reading(request), argument)

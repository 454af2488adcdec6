"""Probes: requests that only ask whether somebody is there, and the one that asks whether signatures are looked at."""

import re

from touchpoints.handshakes.challenge import is_short
from touchpoints.handshakes.kind import ClosedKind, OpenKind, by
from touchpoints.request import Answer, Request
from touchpoints.selector import Reading
from touchpoints.touchpoint import Touchpoint


def _probe_methods(argument: str) -> tuple[str, ...]:
    if argument not in {"HEAD", "GET"}:
        raise ValueError("status_probe needs a method, HEAD or GET")
    return (argument,)


def _field_methods(argument: str) -> tuple[str, ...]:
    if re.fullmatch(r"[A-Za-z0-9_]{1,64}", argument) is None:
        raise ValueError("form_ping needs the field of its form, as in form_ping:webhook_id")
    return ("POST",)


def _form_ping(request: Request, field: str) -> Answer | None:
    """WooCommerce's ping on saving a webhook: an unsigned form `webhook_id=N` that must get 2xx."""
    body = request.body
    if len(body) > len(field) + 20 or re.fullmatch(rb"%b=[0-9]{1,19}" % field.encode(), body) is None:
        return None
    return Answer()


def _is_intent(reading: Reading, field: str) -> bool:
    document = reading.document() if is_short(reading, field) else None
    return isinstance(document, dict) and field in document and document[field] in ([], None)


STATUS_PROBE = OpenKind(methods=_probe_methods, answer=lambda _request, _argument: Answer())  # Trello's HEAD
FORM_PING = OpenKind(methods=_field_methods, answer=_form_ping, unsigned=True)


def _intent(_reading: Reading, _touchpoint: Touchpoint, _argument: str) -> Answer:
    """Xero's intent to receive: messages without events, some of them wrongly signed, which must get 401.

    https://developer.xero.com/documentation/webhooks/configuring-your-server
    """
    return Answer()


ITR = ClosedKind(
    methods=by("POST"),
    is_one=lambda reading, argument: _is_intent(reading, argument or "events"),
    answer=_intent,
    proof="always",
    refuses=True,
)

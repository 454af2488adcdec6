"""Echoes: the challenge goes back as it came, because it has the shape of one."""

import re

import orjson

from touchpoints.handshakes.challenge import SENTENCE, is_short, single
from touchpoints.handshakes.kind import JSON, MALFORMED, TEXT, ClosedKind, OpenKind, by
from touchpoints.request import Answer, Request
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint

_ORIGIN = re.compile(r"[A-Za-z0-9._:-]{1,253}|\*")
_ARROW = re.compile(r"([a-z0-9-]{1,64})>([A-Za-z0-9_]{1,64})")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _query_methods(argument: str) -> tuple[str, ...]:
    name, _, method = argument.partition(":")
    if _NAME.fullmatch(name) is None or method not in {"", "post"}:
        raise ValueError("echo_query needs a parameter's name, as in echo_query:challenge or echo_query:validationToken:post")
    return ("POST",) if method else ("GET",)


def _echo_query(request: Request, argument: str) -> Answer | None:
    """Dropbox's and Adobe's `?challenge=V`; Microsoft Graph's POST without a body to `?validationToken=V`."""
    values = Reading(request).parameter(argument.partition(":")[0].encode())
    if not values or request.body:
        return None
    challenge = single(values, SENTENCE)
    return MALFORMED if challenge is None else Answer(headers=TEXT, body=challenge.encode())


def _header_methods(argument: str) -> tuple[str, ...]:
    if _ARROW.fullmatch(argument) is None:
        raise ValueError("echo_header_json needs a header and a field, as in echo_header_json:x-okta-challenge>verification")
    return ("GET",)


def _echo_header_json(request: Request, argument: str) -> Answer | None:
    """Okta's `X-Okta-Verification-Challenge: V`, answered `{"verification": V}`."""
    header, _, field = argument.partition(">")
    values = Reading(request).headers(header.encode())
    if not values:
        return None
    challenge = single(values)
    return MALFORMED if challenge is None else Answer(headers=JSON, body=orjson.dumps({field: challenge}))


def _named_methods(argument: str) -> tuple[str, ...]:
    if _NAME.fullmatch(argument) is None:
        raise ValueError("this handshake needs the name of its message, as in json_challenge:url_verification")
    return ("POST",)


def _validation_code(request: Request, argument: str) -> Answer | None:
    """Event Grid's SubscriptionValidationEvent. It proves nothing, so its `validationUrl` is never fetched."""
    reading = Reading(request)
    if not is_short(reading, argument, "validationCode"):
        return None
    document = reading.document()
    if not isinstance(document, list) or len(document) != 1 or selector("json:/0/eventType").text(reading) != argument:
        return None
    code = single(selector("json:/0/data/validationCode").values(reading))
    return MALFORMED if code is None else Answer(headers=JSON, body=orjson.dumps({"validationResponse": code}))


def _options(request: Request, _argument: str) -> Answer | None:
    """The preflight of CloudEvents webhooks (also Event Grid and SAP): this origin may send, as often as it likes.

    An answer is permission enough, so `WebHook-Request-Callback`, the address of a stranger, is never visited. Without
    `WebHook-Request-Origin` it is none: browsers ask by OPTIONS, too.
    """
    values = Reading(request).headers(b"webhook-request-origin")
    if not values:
        return None
    origin = single(values, _ORIGIN)
    if origin is None:
        return MALFORMED
    return Answer(headers=((b"allow", b"POST"), (b"webhook-allowed-origin", origin.encode()), (b"webhook-allowed-rate", b"*")))


def _is_json_challenge(reading: Reading, kind: str) -> bool:
    return is_short(reading, kind) and selector("json:/type").text(reading) == kind


def _json_challenge(reading: Reading, _touchpoint: Touchpoint, _kind: str) -> Answer:
    """Slack's `{"type": "url_verification", "challenge": V}`, answered with V as plain text."""
    challenge = single(selector("json:/challenge").values(reading))
    return MALFORMED if challenge is None else Answer(headers=TEXT, body=challenge.encode())


ECHO_QUERY = OpenKind(methods=_query_methods, answer=_echo_query)
ECHO_HEADER_JSON = OpenKind(methods=_header_methods, answer=_echo_header_json)
VALIDATION_CODE = OpenKind(methods=_named_methods, answer=_validation_code)
OPTIONS = OpenKind(methods=by("OPTIONS"), answer=_options)
JSON_CHALLENGE = ClosedKind(methods=_named_methods, is_one=_is_json_challenge, answer=_json_challenge, proof="unless_setup")

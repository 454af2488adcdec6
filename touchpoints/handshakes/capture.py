"""Captures: the sender makes the secret and sends it once. Only a touchpoint without secrets takes one: else anyone could.

Until then whoever knows the endpoint URL can be first; so a person is told when it came and from where, and can forget it.
A capture that is repeated with the secret we have is answered again: its first answer may have been lost.
"""

import hmac
import re

from touchpoints.handshakes.challenge import is_short, single
from touchpoints.handshakes.kind import FORBIDDEN, MALFORMED, ClosedKind
from touchpoints.request import Answer
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint

_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
_HEADER = re.compile(r"[a-z0-9-]{1,64}")
_FIELD = re.compile(r"[A-Za-z0-9_]{1,64}")


def _header_methods(argument: str) -> tuple[str, ...]:
    if _HEADER.fullmatch(argument) is None:
        raise ValueError("echo_header needs a header's name in lower case, as in echo_header:x-hook-secret")
    return ("POST",)


def _brings_header(reading: Reading, header: str) -> bool:
    return bool(reading.headers(header.encode()))


def _echo_header(reading: Reading, touchpoint: Touchpoint, header: str) -> Answer:
    """Asana's `X-Hook-Secret`, which goes back in the same header.

    https://developers.asana.com/reference/createwebhook.md
    """
    secret = single(reading.headers(header.encode()), _SECRET)
    if secret is None:
        return MALFORMED
    headers = ((header.encode(), secret.encode()),)
    if _is_ours(secret, touchpoint):
        return Answer(headers=headers)
    return FORBIDDEN if touchpoint.secrets else Answer(headers=headers, secret=secret)


def _field_methods(argument: str) -> tuple[str, ...]:
    if _FIELD.fullmatch(argument) is None:
        raise ValueError("capture_json needs a field's name, as in capture_json:verification_token")
    return ("POST",)


def _brings_field(reading: Reading, field: str) -> bool:
    document = reading.document() if is_short(reading, field) else None
    return isinstance(document, dict) and isinstance(document.get(field), str)


def _capture_json(reading: Reading, touchpoint: Touchpoint, field: str) -> Answer | None:
    """Notion's `{"verification_token": "secret_…"}`, which a person then confirms at Notion.

    With a signature, or once there is a secret, it is a request like any other, and proves nothing.
    """
    place = touchpoint.verification.signature
    if place and selector(place).values(reading):
        return None
    secret = single(selector(f"json:/{field}").values(reading), _SECRET)
    if secret is None:
        return MALFORMED
    if _is_ours(secret, touchpoint):
        return Answer()
    return None if touchpoint.secrets else Answer(secret=secret)


def _is_ours(secret: str, touchpoint: Touchpoint) -> bool:
    given = secret.encode()
    return any(hmac.compare_digest(given, ours.encode("utf-8", "surrogatepass")) for ours in touchpoint.secrets)


ECHO_HEADER = ClosedKind(methods=_header_methods, is_one=_brings_header, answer=_echo_header)
CAPTURE_JSON = ClosedKind(methods=_field_methods, is_one=_brings_field, answer=_capture_json, refuses=True, shows=True)

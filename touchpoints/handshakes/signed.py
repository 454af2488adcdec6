"""Challenges that are answered by what only we and the sender can compute.

Each is an oracle: whoever knows the endpoint URL gets something computed under a secret. So a challenge is taken only in a
shape that nothing else computed under the same secret has, and where deliveries could have that shape, one that has it is
refused (`ClosedKind.stands_for`): what was signed as a challenge is never taken for an event.
"""

import base64
import hashlib
import hmac
import re

import orjson

from touchpoints.handshakes.challenge import TOKEN, is_short, single
from touchpoints.handshakes.kind import FORBIDDEN, JSON, MALFORMED, TEXT, UNKNOWN_SENDER, ClosedKind, by
from touchpoints.request import Answer
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint

_HUB = re.compile(r"[a-z]{1,16}")
_PARAMETER = re.compile(r"[A-Za-z0-9_]{1,64}")
_BRAINTREE = re.compile(r"[a-f0-9]{20,32}")
_PLAIN_TOKEN = "json:/payload/plainToken"  # noqa: S105 - a selector
_URL_VALIDATION = "endpoint.url_validation"


def _hub_methods(argument: str) -> tuple[str, ...]:
    if _HUB.fullmatch(argument) is None:
        raise ValueError("echo_query_if_token needs the parameters' prefix, as in echo_query_if_token:hub")
    return ("GET",)


def _is_hub(reading: Reading, prefix: str) -> bool:
    return any(reading.parameter(f"{prefix}.{name}".encode()) for name in ("mode", "challenge", "verify_token"))


def _hub(reading: Reading, touchpoint: Touchpoint, prefix: str) -> Answer:
    """Meta's `hub.mode=subscribe`, `hub.challenge` and `hub.verify_token`: echoed to who knows the touchpoint's token."""
    tokens = reading.parameter(f"{prefix}.verify_token".encode())
    ours = touchpoint.verify_token.encode()
    if not ours or len(tokens) != 1 or not hmac.compare_digest(tokens[0], ours):
        return FORBIDDEN
    challenge = single(reading.parameter(f"{prefix}.challenge".encode()))
    if challenge is None or reading.parameter(f"{prefix}.mode".encode()) != [b"subscribe"]:
        return MALFORMED
    return Answer(headers=TEXT, body=challenge.encode())


def _parameter_methods(argument: str) -> tuple[str, ...]:
    if _PARAMETER.fullmatch(argument) is None:
        raise ValueError("sha256_concat needs a parameter's name, as in sha256_concat:challenge_code")
    return ("GET",)


def _concat(reading: Reading, touchpoint: Touchpoint, parameter: str) -> Answer:
    """eBay's `challenge_code`: SHA-256 over it, the token that was typed in at eBay, and the endpoint URL.

    The token serves nothing else, and a hash over more than the code tells nothing of it that could not be tried offline:
    it must be long, as eBay demands (32 to 80 characters).
    """
    code = single(reading.parameter(parameter.encode()))
    if code is None:
        return MALFORMED
    if not touchpoint.verify_token:
        return FORBIDDEN
    url = reading.request.url.partition("?")[0]
    found = hashlib.sha256((code + touchpoint.verify_token + url).encode("utf-8", "surrogatepass")).hexdigest()
    return Answer(headers=JSON, body=orjson.dumps({"challengeResponse": found}))


def _x(reading: Reading, touchpoint: Touchpoint, parameter: str) -> Answer:
    """X's `crc_token`: HMAC-SHA256 under the consumer secret, which signs bare bodies, too."""
    token = single(reading.parameter(parameter.encode()))
    if token is None:
        return MALFORMED
    if not touchpoint.secrets:
        return UNKNOWN_SENDER
    made = hmac.digest(_key(touchpoint), token.encode(), "sha256")
    return Answer(headers=JSON, body=orjson.dumps({"response_token": "sha256=" + base64.b64encode(made).decode()}))


def _is_token(reading: Reading, _argument: str) -> bool:
    body = reading.request.body
    return len(body) <= 256 and TOKEN.fullmatch(body.decode("latin-1")) is not None


def _is_zoom(reading: Reading, _argument: str) -> bool:
    return is_short(reading, _URL_VALIDATION) and selector("json:/event").text(reading) == _URL_VALIDATION


def _zoom(reading: Reading, touchpoint: Touchpoint, _argument: str) -> Answer:
    """Zoom's `plainToken`, asked in a request that is signed like every other, so that nobody else can ask.

    Its events are signed as `v0:TIMESTAMP:BODY`, and a token has no colon.
    """
    token = single(selector(_PLAIN_TOKEN).values(reading))
    if token is None:
        return MALFORMED
    made = hmac.digest(_key(touchpoint), token.encode(), "sha256").hex()
    return Answer(headers=JSON, body=orjson.dumps({"plainToken": token, "encryptedToken": made}))


def _braintree(reading: Reading, touchpoint: Touchpoint, parameter: str) -> Answer:
    """Braintree's `bt_challenge`: HMAC-SHA1 under the SHA-1 of the private key, which signs `bt_payload`, too."""
    challenge = single(reading.parameter(parameter.encode()), _BRAINTREE)
    if challenge is None:
        return MALFORMED
    public, _, private = touchpoint.secrets[0].partition(":") if touchpoint.secrets else ("", "", "")
    if TOKEN.fullmatch(public) is None or not private:
        return UNKNOWN_SENDER
    key = hashlib.sha1(private.encode("utf-8", "surrogatepass")).digest()  # noqa: S324 - Braintree's own key
    return Answer(headers=TEXT, body=f"{public}|{hmac.digest(key, challenge.encode(), 'sha1').hex()}".encode())


def _is_challenge_payload(reading: Reading, _argument: str) -> bool:
    values = reading.field(b"bt_payload")
    return any(_BRAINTREE.fullmatch(value.strip().decode("latin-1")) for value in values)


def _key(touchpoint: Touchpoint) -> bytes:
    return touchpoint.secrets[0].encode("utf-8", "surrogatepass")


def _has_parameter(reading: Reading, parameter: str) -> bool:
    return bool(reading.parameter(parameter.encode()))


ECHO_QUERY_IF_TOKEN = ClosedKind(methods=_hub_methods, is_one=_is_hub, answer=_hub)
SHA256_CONCAT = ClosedKind(methods=_parameter_methods, is_one=_has_parameter, answer=_concat)
CRC_TOKEN = ClosedKind(methods=by("GET"), is_one=_has_parameter, answer=_x, stands_for=_is_token)
PLAIN_TOKEN = ClosedKind(methods=by("POST"), is_one=_is_zoom, answer=_zoom, proof="always")
BT_CHALLENGE = ClosedKind(methods=by("GET"), is_one=_has_parameter, answer=_braintree, stands_for=_is_challenge_payload)

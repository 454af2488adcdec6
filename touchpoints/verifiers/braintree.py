"""Braintree's form of `bt_signature` and `bt_payload`: pairs of public key and HMAC-SHA1, one of which is the receiver's.

Source: braintree 4.48 webhook_notification_gateway.py and util/crypto.py. A secret is `PUBLIC_KEY:PRIVATE_KEY`.
"""

import hmac
import re

from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_hex
from touchpoints.verifiers.hmac import KEYS

SIGNATURE, PAYLOAD = "bt_signature", "bt_payload"
_PAYLOAD_TEXT = re.compile(rb"[A-Za-z0-9+/=\n]+")
_MOST_PAIRS = 32
_SIZE = 20


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when the pair of one of the secrets' public keys fits the payload."""
    signatures, payloads = reading.field(SIGNATURE.encode()), reading.field(PAYLOAD.encode())
    if not signatures or not payloads:
        return Refused(code="signature_missing")
    if len(signatures) > 1 or len(payloads) > 1:
        return Refused(code="signature_ambiguous")
    pairs = [pair.partition(b"|") for pair in signatures[0].split(b"&", _MOST_PAIRS) if b"|" in pair]
    known = [(public, given) for public, _, text in pairs if (given := from_hex(text)) and len(given) == _SIZE]
    if len(pairs) > _MOST_PAIRS or not known or _PAYLOAD_TEXT.fullmatch(payloads[0]) is None:
        return Refused(code="signature_malformed")
    keys = [parts for secret in check.secrets if (parts := parts_of(secret))]
    if not keys:
        return Refused(code="secret_unusable")
    fits = [_fits(private, payloads[0], given) for public, private in keys for named, given in known if named == public]
    return None if any(fits) else Refused(code="signature_wrong")


def parts_of(secret: str) -> tuple[bytes, str] | None:
    """The public and the private key of a secret; None when it is not of that form."""
    public, _, private = secret.partition(":")
    return (public.encode("utf-8", "surrogatepass"), private) if public and private else None


def digest(private_key: str, payload: bytes) -> bytes:
    """The HMAC of a payload, by a key that is not empty."""
    return hmac.digest(KEYS["sha1"](private_key), payload, "sha1")


def _fits(private_key: str, payload: bytes, given: bytes) -> bool:
    # A form may have lost the line break at the payload's end; the vendor's library tries both too.
    return any(hmac.compare_digest(digest(private_key, text), given) for text in (payload, payload + b"\n"))

"""Twilio's signature over the public URL and the sorted form fields, or the hash of a JSON body that the URL carries.

Sources: twilio-python 9.13 request_validator.py and twilio-node 6.2 webhooks.ts; twilio.com/docs, "Webhooks security" and
"Sign webhooks with shared keys". As those libraries do, the URL is tried with and without its port.
"""

import hashlib
import hmac
import re

from touchpoints.request import Refused, Request
from touchpoints.selector import Reading, parse_fields
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64

SIGNATURE = "x-twilio-signature"
_SETTINGS = b"x-twilio-webhooks-signature-settings"
_BODY_HASH = b"bodySHA256"
_ALGORITHMS = {b"HMAC_SHA1": "sha1", b"HMAC_SHA256": "sha256"}
_SIZES = {"sha1": 20, "sha256": 32}
_URL = re.compile(r"(https?)://([^/?#]*?)(?::([0-9]*))?([/?#].*)?", re.IGNORECASE | re.DOTALL)
_PORTS = {"http": "80", "https": "443"}


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when the signature fits a secret: an auth token, or a shared key's secret."""
    values = reading.headers(SIGNATURE.encode())
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "signature_missing")
    algorithm = _algorithm(reading)
    if isinstance(algorithm, Refused):
        return algorithm
    given = from_base64(values[0])
    if given is None or len(given) != _SIZES[algorithm]:
        return Refused(code="signature_malformed")
    fields = signed_fields(reading)
    if fields is None:
        return Refused(code="signature_wrong")
    for secret in check.secrets:
        for url in spellings(reading.request.url):
            if hmac.compare_digest(digest(secret, url, fields, algorithm), given):
                return None
    return Refused(code="signature_wrong")


def _algorithm(reading: Reading) -> str | Refused:
    settings = reading.headers(_SETTINGS)
    if len(settings) > 1:
        return Refused(code="signature_ambiguous")
    pairs = [part.partition(b"=") for part in settings[0].split(b",")] if settings else []
    named = [value.strip() for key, _, value in pairs if key.strip() == b"algorithm" and value.strip()]
    return _ALGORITHMS.get(named[0].upper(), Refused(code="signature_malformed")) if named else "sha1"


def signed_fields(reading: Reading) -> bytes | None:
    """What is signed behind the URL: the fields, sorted, each value once; None where the request cannot be Twilio's.

    Every byte of the body counts, whatever its type says: a body that is no form is read as one, so that none goes unsigned.
    Where the URL carries the body's hash, that hash must be the body's, and nothing else is signed.
    """
    if hashes := reading.parameter(_BODY_HASH):
        body_hash = body_hash_of(reading.request)
        return b"" if all(hmac.compare_digest(body_hash, value) for value in hashes) else None
    fields = parse_fields(reading.request.body)
    return None if fields is None else b"".join(name + value for name, value in sorted(set(fields)))


def body_hash_of(request: Request) -> bytes:
    """The body's SHA-256 in hexadecimal, as Twilio writes it into the URL of a request with a JSON body."""
    return hashlib.sha256(request.body).hexdigest().encode()


def spellings(url: str) -> list[str]:
    """The URL without its port and with it: which of them Twilio signed cannot be told."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return [url]
    scheme, host, port, rest = parts[1], parts[2], parts[3], parts[4] or ""
    return [f"{scheme}://{host}{rest}", f"{scheme}://{host}:{port or _PORTS[scheme.lower()]}{rest}"]


def digest(secret: str, url: str, fields: bytes, algorithm: str) -> bytes:
    """The HMAC of a URL and what is signed behind it."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), url.encode("utf-8", "replace") + fields, algorithm)

"""PayPal: RSA over the transmission, by a certificate at an address of PayPal's; a secret is a webhook id.

What is signed is `ID|TIME|WEBHOOK ID|CRC32` (developer.paypal.com, REST: integrate webhooks). A CRC32 is no hash: who has one
signed transmission can make other bodies of the same checksum. That is PayPal's own scheme; the provider's file says so.
The time is not compared with now: what is tried again within three days may carry its first time.
"""

import re
import zlib
from collections.abc import Sequence

from touchpoints.public_key import prepared, proves
from touchpoints.published_key import KeyPlace, pinned
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64
from touchpoints.verifiers.key_choice import published

HOSTS = ("api.paypal.com", "api.sandbox.paypal.com")

_CERTIFICATE = re.compile(r"https://[a-z.]+/v1/notifications/certs/[A-Za-z0-9_-]{1,128}")
_NAMES = (b"paypal-transmission-id", b"paypal-transmission-time", b"paypal-transmission-sig", b"paypal-cert-url")
_ALGORITHM = b"SHA256withRSA"
_LONGEST = 2048
_PLAIN = re.compile(rb"[\x21-\x7b\x7d\x7e]+")  # without the bar that divides what is signed


def verify(reading: Reading, check: Check) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None; the keys that are wanted where the certificate is not at hand."""
    values = [_only(reading, name) for name in (*_NAMES, b"paypal-auth-algo")]
    refused = next((value for value in values if isinstance(value, Refused)), None)
    if refused:
        return refused
    transmission, time, signature, url, algorithm = (value for value in values if isinstance(value, bytes))
    if algorithm != _ALGORITHM:
        return Refused(code="algorithm_not_allowed")
    mark = from_base64(signature)
    if mark is None or not all(_PLAIN.fullmatch(part) for part in (transmission, time)):
        return Refused(code="signature_malformed")
    place = place_of(url.decode("latin-1"), check.verification.key_hosts or HOSTS)
    keys = Refused(code="key_untrusted") if place is None else published(check, place)
    if isinstance(keys, Refused | Wanting):
        return keys
    checksum = str(zlib.crc32(reading.request.body)).encode()
    for webhook in check.secrets:
        text = b"|".join((transmission, time, webhook.strip().encode("utf-8", "replace"), checksum))
        material = prepared("rsa-sha256", [text])
        if any(proves("rsa-sha256", key, mark, material) for key in keys):
            return None
    return Refused(code="signature_wrong")


def place_of(url: str, hosts: Sequence[str] = HOSTS) -> KeyPlace | None:
    """Where PayPal's certificate stands; None for every other address."""
    return KeyPlace(kind="x509", url=url) if pinned(url, hosts) and _CERTIFICATE.fullmatch(url) else None


def _only(reading: Reading, name: bytes) -> bytes | Refused:
    values = reading.headers(name)
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "signature_missing")
    return values[0] if len(values[0]) <= _LONGEST else Refused(code="signature_malformed")

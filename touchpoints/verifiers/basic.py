"""HTTP Basic: each secret is `user:password`."""

import base64
import hmac

from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.verifiers.check import Check


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when user name and password are one of the secrets."""
    values = reading.headers(b"authorization")
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "credential_missing")
    kind, _, encoded = values[0].partition(b" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return Refused(code="credential_malformed")
    if kind.lower() != b"basic" or b":" not in given:
        return Refused(code="credential_malformed")
    fits = [hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), given) for secret in check.secrets]
    return None if any(fits) else Refused(code="credential_wrong")

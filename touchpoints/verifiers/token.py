"""A credential the sender repeats with every request, in a header, the query or the body; it signs nothing."""

import hmac

from touchpoints.request import Refused
from touchpoints.selector import Reading, selector
from touchpoints.verifiers.check import Check


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when the credential is one of the secrets, after the verification's prefix."""
    values = selector(check.verification.credential).values(reading)
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "credential_missing")
    if not values[0]:
        return Refused(code="credential_malformed")
    prefix = check.verification.prefix
    fits = [hmac.compare_digest((prefix + secret).encode("utf-8", "surrogatepass"), values[0]) for secret in check.secrets]
    return None if any(fits) else Refused(code="credential_wrong")

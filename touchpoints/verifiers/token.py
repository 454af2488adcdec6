"""A credential the sender repeats with every request, in a header, the query or the body; it signs nothing."""

import hmac

from touchpoints.request import Refused
from touchpoints.selector import Reading, Selector, selector
from touchpoints.verifiers.check import Check


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when the credential is one of the secrets, after the verification's prefix.

    Where the credential stands in every element of an array, each must bring a secret: a stranger could add an element.
    """
    place = selector(check.verification.credential)
    values = place.values(reading)
    if not values:
        return Refused(code="credential_missing")
    if len(values) > 1 and not _every(place):
        return Refused(code="signature_ambiguous")
    if not all(values):
        return Refused(code="credential_malformed" if len(values) == 1 else "credential_missing")
    prefix = check.verification.prefix
    expected = [(prefix + secret).encode("utf-8", "surrogatepass") for secret in check.secrets]
    fits = all(any(hmac.compare_digest(one, value) for one in expected) for value in values)
    return None if fits else Refused(code="credential_wrong")


def _every(place: Selector) -> bool:
    return all(one.every for one in place.places)

"""Signatures over a template, proved by a public key: the touchpoint's own secret, or one that its sender publishes.

With published keys a `credential` may say whom the event is for, as all customers of a sender share its key: what stands
there must be one of the secrets.
"""

import hmac

from touchpoints.public_key import ALGORITHMS, prepared, proves
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.key_choice import check_keys, is_published, keys_for
from touchpoints.verifiers.proof import Plan, known, plan_of, read, stale

MOST_SIGNATURES = 8  # each costs much more than a hash


def scheme(verification: Verification) -> Plan:
    """The compiled form of an asymmetric verification. Raises ValueError in words when its fields do not fit each other."""
    known("algorithm", verification.algorithm, ALGORITHMS)
    check_keys(verification)
    if verification.credential and not is_published(verification):
        raise ValueError("a credential beside the signature is for published keys only")
    if verification.credential:
        selector(verification.credential)
    plan = plan_of(verification)
    if "secret" in plan.signed.holes:
        raise ValueError("the secret is the key, and no part of what is signed")
    return plan


def verify(reading: Reading, check: Check) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None when a signature is by one of the keys and the timestamp is fresh."""
    verification = check.verification
    plan = plan_of(verification)
    proof = read(plan, reading)
    if isinstance(proof, Refused):
        return proof
    pieces = plan.signed.pieces(proof.material)
    if pieces is None:
        return Refused(code="signature_missing")
    if len(proof.signatures) > MOST_SIGNATURES:
        return Refused(code="signature_malformed")
    if refused := _recipient(reading, check):
        return refused
    keys = keys_for(reading, check)
    if isinstance(keys, Refused | Wanting):
        return keys
    material = prepared(verification.algorithm, pieces)
    if any(proves(verification.algorithm, key, one, material) for key in keys for one in proof.signatures):
        return stale(plan, proof, check.now)
    return Refused(code="signature_wrong")


def _recipient(reading: Reading, check: Check) -> Refused | None:
    if not check.verification.credential:
        return None
    values = selector(check.verification.credential).values(reading)
    if len(values) != 1:
        return Refused(code="signature_ambiguous" if values else "credential_missing")
    fits = [hmac.compare_digest(secret.strip().encode("utf-8", "surrogatepass"), values[0]) for secret in check.secrets]
    return None if any(fits) else Refused(code="recipient_wrong")

"""A plain hash over a template that holds the secret, as HubSpot's older signatures are."""

import hashlib
import hmac

from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.template import Material
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.hmac import DIGEST_SIZES, verbatim
from touchpoints.verifiers.proof import Plan, known, plan_of, read, stale


def scheme(verification: Verification) -> Plan:
    """The compiled form of a hash_prefix verification. Raises ValueError in words when its fields do not fit each other."""
    known("algorithm", verification.algorithm, DIGEST_SIZES)
    plan = plan_of(verification)
    if "secret" not in plan.signed.holes:
        raise ValueError("without {secret} in what is hashed, anyone could write the hash")
    return plan


def digest(plan: Plan, secret: str, material: Material, algorithm: str) -> bytes | None:
    """The hash of the filled template; None when a part of it is missing."""
    pieces = plan.signed.pieces(material._replace(secret=verbatim(secret)))
    if pieces is None:
        return None
    running = hashlib.new(algorithm, usedforsecurity=True)
    for piece in pieces:
        running.update(piece)
    return running.digest()


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when one of the signatures is the hash with one of the secrets."""
    verification = check.verification
    plan = plan_of(verification)
    proof = read(plan, reading, DIGEST_SIZES[verification.algorithm])
    if isinstance(proof, Refused):
        return proof
    if not _is_text(reading.request.body):
        return Refused(code="signature_wrong")
    for secret in check.secrets:
        expected = digest(plan, secret, proof.material, verification.algorithm)
        if expected is None:
            return Refused(code="signature_missing")
        if any(hmac.compare_digest(expected, signature) for signature in proof.signatures):
            return stale(plan, proof, check.now)
    return Refused(code="signature_wrong")


def _is_text(body: bytes) -> bool:
    # Whoever saw one hash can lengthen what was hashed without the secret, but only by padding that begins with the byte
    # 0x80, and behind a whole character that is no UTF-8. JSON always is.
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

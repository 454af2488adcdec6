"""HMAC signatures of every layout the provider table knows; what differs between providers is data."""

import base64
import hashlib
import hmac
from collections.abc import Callable

from touchpoints.request import Refused
from touchpoints.selector import Reading
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.proof import Plan, known, plan_of, read, stale

DIGEST_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}


def verbatim(secret: str) -> bytes:
    """The secret as its UTF-8."""
    return secret.encode("utf-8", "surrogatepass")


def _whsec(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _sha1(secret: str) -> bytes:
    return hashlib.sha1(verbatim(secret), usedforsecurity=False).digest()  # Braintree's key: part of the sender's scheme


KEYS: dict[str, Callable[[str], bytes]] = {
    "utf8": verbatim,
    "hex": bytes.fromhex,
    "base64": lambda secret: base64.b64decode(secret, validate=True),
    "whsec": _whsec,
    "sha1": _sha1,
}


def key_of(kind: str, secret: str) -> bytes | None:
    """The key a secret stands for, by the verification's `key`; None when the secret is not of that form."""
    try:
        return (KEYS[kind](secret) or None) if secret else None
    except ValueError:
        return None


def scheme(verification: Verification) -> Plan:
    """The compiled form of an hmac verification. Raises ValueError in words when its fields do not fit each other."""
    known("algorithm", verification.algorithm, DIGEST_SIZES)
    known("key", verification.key, KEYS)
    plan = plan_of(verification)
    if "secret" in plan.signed.holes:
        raise ValueError("the secret is the key, and no part of what is signed")
    return plan


def digest(key: bytes, pieces: list[bytes], algorithm: str) -> bytes:
    """The HMAC over the pieces."""
    if len(pieces) == 1:
        return hmac.digest(key, pieces[0], algorithm)
    running = hmac.new(key, pieces[0], algorithm)
    for piece in pieces[1:]:
        running.update(piece)
    return running.digest()


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when one of the signatures fits one of the secrets and the timestamp is fresh."""
    verification = check.verification
    plan = plan_of(verification)
    proof = read(plan, reading, DIGEST_SIZES[verification.algorithm])
    if isinstance(proof, Refused):
        return proof
    pieces = plan.signed.pieces(proof.material)
    if pieces is None:
        return Refused(code="signature_missing")
    return _compare(verification, check.secrets, proof.signatures, pieces) or stale(plan, proof, check.now)


def _compare(
    verification: Verification, secrets: tuple[str, ...], signatures: list[bytes], pieces: list[bytes]
) -> Refused | None:
    usable = False
    for secret in secrets:
        key = key_of(verification.key, secret)
        if key is None:
            continue
        usable = True
        expected = digest(key, pieces, verification.algorithm)
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return None
    return Refused(code="signature_wrong" if usable else "secret_unusable")

"""Public keys: how they are written, and whether a signature is by one. Loads the cryptography library when first asked."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192  # a modulus without end is work without end

_LONGEST_TEXT = 16 * 1024
_PEM = re.compile(r"-----BEGIN (PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----([A-Za-z0-9+/=\s]+)-----END \1-----")
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|^\s*whsk_")  # whsk_ is Standard Webhooks' private key

# What each signature algorithm hashes with; ed25519 hashes by itself.
ALGORITHMS: Mapping[str, str] = {
    "rsa-sha256": "sha256",
    "rsa-sha1": "sha1",
    "rsa-pss-sha256": "sha256",
    "ecdsa-sha256": "sha256",
    "ecdsa-sha1": "sha1",
    "ed25519": "",
}


def is_private(text: str) -> bool:
    """Whether a text holds a private key, which nobody but its sender may have."""
    return _PRIVATE.search(text) is not None


def pem_text(text: str) -> bytes:
    r"""A public key as DER SubjectPublicKeyInfo, by its PEM: of a public key or a certificate, with or without line ends.

    Line ends may also be written `\n`, as they are in an environment file. Raises ValueError for anything else.
    """
    if len(text) > _LONGEST_TEXT:
        raise ValueError("too long")
    found = _PEM.fullmatch(text.replace("\\r", "").replace("\\n", "\n").strip())
    if found is None:
        raise ValueError("no PEM of a public key")
    if found[1] == "CERTIFICATE":
        return public_der(certificate_of(found[0]).key)
    return public_der(base64.b64decode("".join(found[2].split()), validate=True))


class Certificate(NamedTuple):
    """What of an X.509 certificate counts here."""

    key: bytes  # DER SubjectPublicKeyInfo
    not_before: int  # seconds since 1970
    not_after: int


def certificate_of(pem: str) -> Certificate:
    """A certificate by its PEM. Raises ValueError for what is none."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        read = x509.load_pem_x509_certificate(pem.encode("ascii"))
        return Certificate(
            key=read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            not_before=round(read.not_valid_before_utc.timestamp()),
            not_after=round(read.not_valid_after_utc.timestamp()),
        )
    except (UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ValueError("no usable certificate") from error


def spki_text(text: str) -> bytes:
    """A public key as DER, by the Base64 of it on one line, or by its PEM. Raises ValueError for anything else."""
    return pem_text(text) if "-----" in text else public_der(base64.b64decode("".join(text.split()), validate=True))


def whpk_text(text: str) -> bytes:
    """An Ed25519 key as DER, by Standard Webhooks' `whpk_` and Base64 of 32 bytes. Raises ValueError for anything else."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not text.startswith("whpk_"):
        raise ValueError("no whpk_")
    body = text.removeprefix("whpk_")
    raw = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


FORMS: Mapping[str, Callable[[str], bytes]] = {"pem": pem_text, "spki": spki_text, "whpk": whpk_text}


@lru_cache(maxsize=1024)
def der_of(form: str, secret: str) -> bytes | None:
    """The key a secret stands for, as DER, by the verification's `key`; None when the secret is not of that form."""
    try:
        return FORMS[form](secret)
    except ValueError:
        return None


def public_der(der: bytes) -> bytes:
    """The same DER, when it is a public key that signatures are proved by. Raises ValueError when it is not."""
    if key_of(der) is None:
        raise ValueError("no usable public key")
    return der


@lru_cache(maxsize=1024)
def key_of(der: bytes) -> Any:
    """The cryptography library's key; None for bytes that are none, and for kinds and sizes that nobody signs webhooks with."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    match key:
        case rsa.RSAPublicKey() if LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS and key.public_numbers().e < 1 << 32:
            return key
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return key
        case ed25519.Ed25519PublicKey():
            return key
        case _:
            return None


def prepared(algorithm: str, pieces: Sequence[bytes]) -> bytes:
    """What `proves` takes: the pieces' hash, or for ed25519 the message itself."""
    name = ALGORITHMS[algorithm]
    if not name:
        return b"".join(pieces)
    running = hashlib.new(name, usedforsecurity=False)  # what SHA-1 is still good for is the sender's to know
    for piece in pieces:
        running.update(piece)
    return running.digest()


def proves(algorithm: str, der: bytes, signature: bytes, material: bytes) -> bool:
    """Whether a signature over what was `prepared` is by the key. A key of another kind than the algorithm's proves nothing.

    RSA is PKCS #1 v1.5, or PSS with a salt as long as the hash (RFC 8017); ECDSA is P-256 with the signature in DER.
    """
    check = _checker(algorithm, der)
    return check is not None and check(signature, material)


@lru_cache(maxsize=1024)
def _checker(algorithm: str, der: bytes) -> Callable[[bytes, bytes], bool] | None:
    from cryptography.exceptions import InvalidSignature

    check = _raising_checker(algorithm, key_of(der))

    def holds(signature: bytes, material: bytes) -> bool:
        try:
            check(signature, material)
        except (InvalidSignature, ValueError):
            return False
        return True

    return holds if check else None


def _raising_checker(algorithm: str, key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    kind = algorithm.partition("-")[0]
    if kind == "ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
        return key.verify
    hasher = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}.get(ALGORITHMS[algorithm])
    if hasher is None:
        return None
    hashed = Prehashed(hasher())
    if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
        ecdsa = ec.ECDSA(hashed)
        return lambda signature, material: key.verify(signature, material, ecdsa)
    if kind != "rsa" or not isinstance(key, rsa.RSAPublicKey):
        return None
    scheme = padding.PSS(padding.MGF1(hasher()), padding.PSS.DIGEST_LENGTH) if "pss" in algorithm else padding.PKCS1v15()
    return lambda signature, material: key.verify(signature, material, scheme, hashed)

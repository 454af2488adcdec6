"""Key pairs that are the same in every process, and signatures that are: what a mutant proves is compared with what others do.

Imports none of our own code, so that a process can hold them before it is split into mutants.
"""

import base64
import random
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_EXPONENT = 65537
_SMALL = [number for number in range(3, 2000, 2) if all(number % other for other in range(3, int(number**0.5) + 1, 2))]


@cache
def rsa_key(seed: int = 1) -> rsa.RSAPrivateKey:
    """2048 bits, of a seed: a key to compare with, not one to keep anything secret by."""
    chance = random.Random(seed)
    p, q = _prime(chance), _prime(chance)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key()


@cache
def ec_key(seed: int = 1) -> ec.EllipticCurvePrivateKey:
    """P-256, of a seed."""
    return ec.derive_private_key(random.Random(seed).getrandbits(250), ec.SECP256R1())


@cache
def ed_key(seed: int = 1) -> ed25519.Ed25519PrivateKey:
    """Ed25519, of a seed."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(random.Random(seed).randbytes(32))


def signature(algorithm: str, key: Private, data: bytes) -> bytes:
    """By one of our algorithms' names, but for the one whose signatures always differ."""
    hasher = SHA1() if algorithm.endswith("sha1") else SHA256()  # noqa: S303 - as senders still do
    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign(data)
        case ec.EllipticCurvePrivateKey():
            return key.sign(data, ec.ECDSA(hasher, deterministic_signing=True))
        case rsa.RSAPrivateKey():
            return key.sign(data, padding.PKCS1v15(), hasher)


def der(key: Private) -> bytes:
    """The public key as DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki(key: Private) -> str:
    """The public key in Base64, on one line."""
    return base64.b64encode(der(key)).decode()


def _prime(chance: random.Random) -> int:
    while True:
        number = chance.getrandbits(1024) | 1 << 1023 | 1 << 1022 | 1
        if all(number % small for small in _SMALL) and (number - 1) % _EXPONENT and _is_prime(number, chance):
            return number


def _is_prime(number: int, chance: random.Random) -> bool:
    """Miller and Rabin's test, ten times."""
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for _ in range(10):
        x = pow(chance.randrange(2, number - 1), odd, number)
        if x in {1, number - 1}:
            continue
        if not any((x := x * x % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True

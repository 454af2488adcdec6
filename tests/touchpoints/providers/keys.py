"""Keys made for tests, and published ones as their holder keeps them."""

import base64
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.touchpoints.factory import NOW
from touchpoints.moment import Micros
from touchpoints.published_key import KeyPlace, Keys, PublishedKeys


@cache
def made_key(_name: str) -> rsa.RSAPrivateKey:
    """A key of that name, the same at each call."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(name: str = "") -> str:
    """Its public half as PEM."""
    return made_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def der_of(name: str = "") -> bytes:
    """Its public half as DER."""
    return made_key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signature_of(text: bytes, algorithm: hashes.HashAlgorithm | None = None) -> str:
    """An RSA signature in Base64; SHA-256 where nothing else is asked."""
    return base64.b64encode(made_key("").sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256())).decode()


def kept(*places: KeyPlace, der: bytes = b"", not_after: Micros | None = None) -> Keys:
    """A key at each place, as fetched a moment ago."""
    keys = {"": der or der_of()}
    return {place: PublishedKeys(place=place, keys=keys, fetched_at=NOW, not_after=not_after) for place in places}

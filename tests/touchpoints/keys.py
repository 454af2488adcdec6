"""Key pairs and certificates of tests, made once a run, and what signs with them."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.touchpoints.factory import NOW
from tests.verify.fixed_keys import Private, der, spki
from tests.verify.fixed_keys import signature as same_signature
from touchpoints.moment import SECOND, Micros
from touchpoints.published_key import KeyPlace, PublishedKeys

__all__ = ["Private", "der", "spki"]  # these are given on


def rsa_key(name: str = "", bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key; another one for each name."""
    return _rsa(name, bits)


def ec_key(name: str = "") -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    return _ec(name)


def ed_key(name: str = "") -> ed25519.Ed25519PrivateKey:
    """An Ed25519 key."""
    return _ed(name)


@cache
def _rsa(_name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def _ec(_name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def _ed(_name: str) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def pem(key: Private) -> str:
    """The public key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def whpk(key: ed25519.Ed25519PrivateKey) -> str:
    """The public key as Standard Webhooks writes it."""
    return "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def private_pem(key: Private) -> str:
    """The private key, which nobody should ever enter."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signature(algorithm: str, key: Private, data: bytes) -> bytes:
    """A signature by one of our algorithms' names."""
    if "pss" in algorithm and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH), SHA256())
    return same_signature(algorithm, key, data)


def certificate(key: Private, *, starts: int = -86400, ends: int = 86400) -> str:
    """A self-signed certificate as PEM, valid from and to so many seconds after NOW."""
    now = datetime.fromtimestamp(NOW / SECOND, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now + timedelta(seconds=starts))
        .not_valid_after(now + timedelta(seconds=ends))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def published(place: KeyPlace, fetched_at: Micros = NOW, **keys: Private) -> PublishedKeys:
    """What was read at a place, by key id; `_` stands for no id."""
    return PublishedKeys(place=place, keys={name.strip("_"): der(key) for name, key in keys.items()}, fetched_at=fetched_at)


def jwk(key: Private, **fields: Any) -> dict[str, Any]:
    """The public key as a JSON Web Key."""
    reader: Any = {
        rsa.RSAPublicKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePublicKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PublicKey: jwt.algorithms.OKPAlgorithm,
    }
    public = key.public_key()
    algorithm = next(one for kind, one in reader.items() if isinstance(public, kind))
    return {**json.loads(algorithm.to_jwk(public)), **fields}


def jws(claims: Mapping[str, Any], key: Any, algorithm: str = "RS256", **header: Any) -> str:
    """A token with these claims."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm=algorithm, headers={"typ": "JWT", **header})

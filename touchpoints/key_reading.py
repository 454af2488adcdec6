"""Reading published keys: what stands at a place, as public keys. Everything here is a stranger's until it is read."""

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson

from touchpoints.moment import SECOND, Micros
from touchpoints.public_key import certificate_of, pem_text, public_der
from touchpoints.published_key import KeyPlace, PublishedKeys, host_of

MOST_BYTES = 64 * 1024
MOST_KEYS = 100

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def read_published(place: KeyPlace, content: bytes, now: Micros) -> PublishedKeys:
    """The keys that stand at a place of kind x509, pem, jwks, openid (its `jwks_uri`'s content) or ebay.

    A certificate's chain is not followed: the first certificate counts, by the authority of the pinned https host it came
    from, and within its own dates. Amazon asks for a valid chain (docs.aws.amazon.com, sns: verifying signatures) but publishes
    the leaf alone, and its own validator for Node.js checks no chain; PayPal asks for none (developer.paypal.com: webhooks).
    Raises ValueError for what is no such key.
    """
    if len(content) > MOST_BYTES:
        raise ValueError("too long")
    if place.kind == "x509":
        return _read_certificate(place, content, now)
    read = {"pem": _read_pem, "jwks": _read_jwks, "openid": _read_jwks, "ebay": _read_ebay}[place.kind]
    keys = read(content)
    if not keys:
        raise ValueError("no usable key")
    return PublishedKeys(place=place, keys=keys, fetched_at=now)


def jwks_uri(discovery: bytes, place: KeyPlace) -> str:
    """Where an OpenID provider keeps its keys, by its discovery document (OpenID Connect Discovery 1.0, section 3).

    Raises ValueError for a document without one, or with one on another host than its own.
    """
    document = _object(discovery)
    uri = document.get("jwks_uri")
    if not isinstance(uri, str) or host_of(uri) is None or host_of(uri) != host_of(place.url):
        raise ValueError("no jwks_uri of the same host")
    return uri


def _object(content: bytes) -> Mapping[str, Any]:
    document = orjson.loads(content)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    return document


def _read_certificate(place: KeyPlace, content: bytes, now: Micros) -> PublishedKeys:
    # The whole document is certificates: text around them could come out of an answer that repeats what it was asked.
    blocks = _CERTIFICATE.findall(content.decode("ascii"))
    if not blocks or _CERTIFICATE.sub("", content.decode("ascii")).strip():
        raise ValueError("no certificate alone")
    certificate = certificate_of(blocks[0])
    return PublishedKeys(
        place=place,
        keys={"": public_der(certificate.key)},
        fetched_at=now,
        not_before=certificate.not_before * SECOND,
        not_after=certificate.not_after * SECOND,
    )


def _read_pem(content: bytes) -> dict[str, bytes]:
    return {"": pem_text(content.decode("ascii"))}


def _read_ebay(content: bytes) -> dict[str, bytes]:
    """eBay's `getPublicKey` (developer.ebay.com, Notification API): a PEM without line ends in a JSON object."""
    key = _object(content).get("key")
    return {"": pem_text(key)} if isinstance(key, str) else {}


def _read_jwks(content: bytes) -> dict[str, bytes]:
    """A JSON Web Key Set (RFC 7517). Keys that cannot be used are left out, as section 5 asks for; of two with one id the first
    counts."""
    listed = _object(content).get("keys")
    found: dict[str, bytes] = {}
    for one in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        name = one.get("kid", "")
        try:
            if isinstance(name, str):
                found.setdefault(name, public_der(_der_of(one)))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _der_of(jwk: Mapping[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    match jwk["kty"], jwk.get("crv"):
        case "RSA", _:
            key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        case "EC", "P-256":
            key = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1()).public_key()
        case "OKP", "Ed25519":
            key = ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
        case _:
            raise ValueError("another kind of key")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _bytes(text: str) -> bytes:
    if len(text) > 2048:
        raise ValueError("too long")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

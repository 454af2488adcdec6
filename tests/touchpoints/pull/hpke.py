"""HPKE (RFC 9180), base mode, X25519 and HKDF-SHA256, written from the RFC: a second opinion on the library's."""

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM_ID = (0x20).to_bytes(2)
KEM_SUITE = b"KEM" + KEM_ID
KEY_BYTES = {1: 16, 2: 32}  # AES-128-GCM, AES-256-GCM


def extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, sha256)


def expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    info = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    made, block, count = b"", b"", 1
    while len(made) < length:
        block = hmac.digest(prk, block + info + bytes([count]), sha256)
        made, count = made + block, count + 1
    return made[:length]


def secrets(shared: bytes, enc: bytes, public: bytes, info: bytes, aead: int) -> tuple[bytes, bytes]:
    """Key and first nonce."""
    prk = extract(KEM_SUITE, b"", b"eae_prk", shared)
    secret = expand(KEM_SUITE, prk, b"shared_secret", enc + public, 32)
    suite = b"HPKE" + KEM_ID + (1).to_bytes(2) + aead.to_bytes(2)
    context = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    prk = extract(suite, secret, b"secret", b"")
    return expand(suite, prk, b"key", context, KEY_BYTES[aead]), expand(suite, prk, b"base_nonce", context, 12)


def seal(
    plain: bytes, public: bytes, info: bytes, *, one_time: X25519PrivateKey, aead: int = 2, aad: bytes | None = None
) -> bytes:
    enc = one_time.public_key().public_bytes_raw()
    key, nonce = secrets(one_time.exchange(X25519PublicKey.from_public_bytes(public)), enc, public, info, aead)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)


def open_sealed(sealed: bytes, private: X25519PrivateKey, info: bytes, *, aead: int = 2, aad: bytes | None = None) -> bytes:
    enc, public = sealed[:32], private.public_key().public_bytes_raw()
    key, nonce = secrets(private.exchange(X25519PublicKey.from_public_bytes(enc)), enc, public, info, aead)
    return AESGCM(key).decrypt(nonce, sealed[32:], aad)

"""Key pairs: Ed25519 to sign with, X25519 to be sealed for. 32 raw bytes each half."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

Chance = Callable[[int], bytes]  # so many random bytes, from the system's source

KEY = 32  # bytes of each half


def new_signing_key(chance: Chance) -> bytes:
    """A private Ed25519 key."""
    return chance(KEY)


def signing_public(private: bytes) -> bytes:
    """Its public half."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def new_exchange_key(chance: Chance) -> bytes:
    """A private X25519 key: an agent's own, or the organisation's."""
    return chance(KEY)


def exchange_public(private: bytes) -> bytes:
    """Its public half."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def is_exchange_key(public: bytes) -> bool:
    """Whether something can be sealed for it: the few points that give everyone the same secret are no keys."""
    try:
        X25519PrivateKey.from_private_bytes(bytes(KEY)).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True

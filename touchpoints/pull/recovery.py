"""The recovery key: shown once when the first agent pairs, it opens the organisation's private key without any agent."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from touchpoints.problem import ProblemError, problem
from touchpoints.pull import crockford
from touchpoints.pull.key import KEY, Chance, exchange_public
from touchpoints.pull.text import parts

RECOVERY_KEY = 20  # bytes
BOX = 1 + 16 + KEY + 16  # bytes: version, salt, the private key under AES-256-GCM, its tag

_CHARACTERS = RECOVERY_KEY * 8 // 5
_SALT = 16
_VERSION = b"\x01"
_NONCE = bytes(12)  # each salt gives a key of its own, which seals once


def new_recovery_key(chance: Chance) -> str:
    """160 random bits as eight groups of four Crockford base32 characters."""
    return crockford.grouped(crockford.draw(chance, _CHARACTERS))


def parse_recovery_key(text: str) -> bytes:
    """Its 20 bytes, read as forgivingly as a pairing code. Raises ProblemError(recovery_key_malformed)."""
    characters = crockford.read(text, _CHARACTERS)
    if characters is None:
        raise ProblemError(problem("recovery_key_malformed", path="recovery_key"))
    return crockford.number(characters).to_bytes(RECOVERY_KEY)


def recovery_box(private: bytes, recovery_key: bytes, *, sealing_key: bytes, chance: Chance) -> bytes:
    """The organisation's private key (32 bytes) under the recovery key (20 bytes), bound to its public half; 65 bytes."""
    salt = chance(_SALT)
    return _VERSION + salt + _cipher(recovery_key, salt).encrypt(_NONCE, private, _bound(sealing_key))


def open_recovery_box(box: bytes, recovery_key: bytes, *, sealing_key: bytes) -> bytes:
    """The private key. Raises ProblemError(recovery_key_wrong), also where it is not that of `sealing_key`."""
    private = _opened(box, recovery_key, sealing_key)
    if private is None or exchange_public(private) != sealing_key:
        raise ProblemError(problem("recovery_key_wrong", path="recovery_key"))
    return private


def _opened(box: bytes, recovery_key: bytes, sealing_key: bytes) -> bytes | None:
    if len(box) != BOX or not box.startswith(_VERSION):
        return None
    salt, sealed = box[1 : 1 + _SALT], box[1 + _SALT :]
    try:
        return _cipher(recovery_key, salt).decrypt(_NONCE, sealed, _bound(sealing_key))
    except InvalidTag:
        return None


def _cipher(recovery_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=parts("recovery key")).derive(recovery_key))


def _bound(sealing_key: bytes) -> bytes:
    return parts("recovery box", sealing_key)

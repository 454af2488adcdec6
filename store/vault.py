"""The vault: secrets sealed by AES-GCM under the key file, and told apart by fingerprints that give nothing away."""

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from touchpoints.problem import ProblemError, problem

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and opens. What it seals is bound to a context, so that a sealed value is worth nothing in another place."""

    __slots__ = ("_fingerprints", "_nonces", "_sealing")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a vault's key has {KEY_BYTES} bytes")
        self._sealing = AESGCM(_derived(key, b"hookport seal 1"))
        self._nonces = _derived(key, b"hookport nonce 1")
        self._fingerprints = _derived(key, b"hookport fingerprint 1")

    def seal(self, value: str, *, context: str) -> bytes:
        """A value only this vault can open, in this context: nonce, ciphertext, tag."""
        plain, bound = value.encode("utf-8", "surrogatepass"), context.encode()
        # The nonce is a keyed hash of everything it is used for: it repeats only when the whole message does.
        nonce = hmac.digest(self._nonces, len(bound).to_bytes(8, "big") + bound + plain, "sha256")[:_NONCE_BYTES]
        return nonce + self._sealing.encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, *, context: str) -> str:
        """The value. Raises ProblemError(secret_unreadable) for another key, another context or a changed byte."""
        try:
            plain = self._sealing.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise ProblemError(problem("secret_unreadable")) from None
        return plain.decode("utf-8", "surrogatepass")

    def fingerprint(self, text: str) -> str:
        """16 hex digits of HMAC-SHA256: the same for the same text under the same key, and no way back."""
        return hmac.digest(self._fingerprints, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:16]


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=purpose).derive(key)


def create_key(path: Path, chance: Callable[[int], bytes]) -> Vault:
    """Make the key file of a brand-new data folder, for its owner alone, on disk before anything is sealed with it.

    `chance` gives as many random bytes as it is asked for. Raises ProblemError(key_file_unusable), also when there is a file.
    """
    key = chance(KEY_BYTES)
    write_key_file(path, key)
    return Vault(key)


def write_key_file(path: Path, key: bytes) -> None:
    """Make a key file, for its owner alone, on disk. Raises ProblemError(key_file_unusable), also when there is a file."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ProblemError(problem("key_file_unusable", file=path, why=error.strerror or "unknown")) from None


def open_key(path: Path) -> Vault:
    """The vault of an existing key file. Raises ProblemError: key_file_missing, key_file_malformed, key_file_unusable."""
    return Vault(read_key_file(path))


def read_key_file(path: Path) -> bytes:
    """The key in an existing key file. Raises as `open_key`."""
    try:
        with path.open("rb") as file:
            text = file.read(KEY_BYTES * 2 + 3)
    except FileNotFoundError:
        raise ProblemError(problem("key_file_missing", file=path)) from None
    except OSError as error:
        raise ProblemError(problem("key_file_unusable", file=path, why=error.strerror or "unknown")) from None
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise ProblemError(problem("key_file_malformed", file=path)) from None
    if len(key) != KEY_BYTES:
        raise ProblemError(problem("key_file_malformed", file=path))
    return key

"""The key file under a passphrase: argon2id makes a key of it (RFC 9106), AES-GCM seals."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.vault import KEY_BYTES
from touchpoints.problem import ProblemError, problem

_CONTEXT = b"hookport backup key 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A key under a passphrase; all but the passphrase stands beside it. Byte strings in hex."""

    salt: str
    nonce: str
    sealed: str
    time: int = 3  # RFC 9106, second recommended option
    memory: int = 65536  # KiB
    lanes: int = 4

    def text(self) -> str:
        """As it stands in the backup."""
        return json.dumps(asdict(self))


def seal_key(key: bytes, passphrase: str, chance: Callable[[int], bytes]) -> SealedKey:
    """Seal the key file's 32 bytes; `chance` gives random bytes. Takes a fifth of a second and 64 MiB."""
    salt, nonce = chance(16), chance(12)
    plain = SealedKey(salt=salt.hex(), nonce=nonce.hex(), sealed="")
    sealed = AESGCM(_derived(plain, passphrase)).encrypt(nonce, key, _CONTEXT)
    return SealedKey(salt=plain.salt, nonce=plain.nonce, sealed=sealed.hex())


def open_sealed(text: str, passphrase: str) -> bytes:
    """The key. Raises ProblemError(backup_passphrase_wrong), also for what was changed."""
    try:
        found = SealedKey(**json.loads(text))
        if not (1 <= found.time <= 10 and 8 <= found.memory <= 1 << 20 and 1 <= found.lanes <= 16):
            raise ValueError("costs that no Hookport chose")
        key = AESGCM(_derived(found, passphrase)).decrypt(bytes.fromhex(found.nonce), bytes.fromhex(found.sealed), _CONTEXT)
    except (InvalidTag, ValueError, TypeError):
        raise ProblemError(problem("backup_passphrase_wrong")) from None
    if len(key) != KEY_BYTES:
        raise ProblemError(problem("backup_passphrase_wrong"))
    return key


def _derived(key: SealedKey, passphrase: str) -> bytes:
    return hash_secret_raw(
        passphrase.encode("utf-8", "surrogatepass"),
        bytes.fromhex(key.salt),
        time_cost=key.time,
        memory_cost=key.memory,
        parallelism=key.lanes,
        hash_len=32,
        type=Type.ID,
    )

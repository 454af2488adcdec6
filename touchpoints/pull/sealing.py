"""Sealing: what only an organisation's agents can open. A data key seals events; the organisation's key wraps data keys.

AES-256-GCM for events, HPKE (RFC 9180, base mode) for keys: a wrap for each event would cost more than half of what storing
it does. What is sealed is bound to its organisation, key and event, so that none can be put in another's place.
"""

import base64
import itertools
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from touchpoints.moment import MINUTE, Micros
from touchpoints.pull.key import KEY, Chance, exchange_public
from touchpoints.pull.text import parts
from touchpoints.pull.token import is_token

KEY_LIVES: Micros = MINUTE
KEY_SEALS = 2**20
WRAPPED = KEY + 32 + 16  # bytes of a wrapped key: the one-time public key, the key under AES-256-GCM, its tag

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PREFIX = 4  # of a nonce
_NONCE = _PREFIX + 8
_TAG = 16
_COUNTER = struct.Struct(">Q")
_DATA_KEY = "data key"
_ORGANISATION_KEY = "organisation key"
_READINESS = "readiness"
_TOKEN = "token"  # noqa: S105 - what is wrapped, no secret


class SealBroken(Exception):
    """It cannot be opened: another key, or changed since."""


def wrap(secret: bytes, public: bytes, *, purpose: str, context: tuple[str, ...]) -> bytes:
    """Wrap for the holder of an X25519 key by HPKE: 48 bytes longer. Purpose and context are HPKE's `info`.

    Raises SealBroken for a public key that none can be wrapped for.
    """
    try:
        return _SUITE.encrypt(secret, X25519PublicKey.from_public_bytes(public), info=parts(purpose, *context))
    except ValueError as error:
        raise SealBroken("nothing can be wrapped for this public key") from error


def unwrap(wrapped: bytes, private: bytes, *, purpose: str, context: tuple[str, ...]) -> bytes:
    """What was wrapped. Raises SealBroken."""
    try:
        return _SUITE.decrypt(wrapped, X25519PrivateKey.from_private_bytes(private), info=parts(purpose, *context))
    except (InvalidTag, ValueError) as error:
        raise SealBroken("it cannot be unwrapped with this key") from error


def wrap_organisation_key(private: bytes, exchange_key: bytes, *, organisation: int, agent: str) -> bytes:
    """The organisation's private key, for another agent that a person approved. Raises SealBroken."""
    return wrap(private, exchange_key, purpose=_ORGANISATION_KEY, context=(str(organisation), agent))


def unwrap_organisation_key(wrapped: bytes, private: bytes, *, organisation: int, agent: str, sealing_key: bytes) -> bytes:
    """The organisation's private key, checked to be that of `sealing_key`. `private` is this agent's exchange key.

    Raises SealBroken.
    """
    key = unwrap(wrapped, private, purpose=_ORGANISATION_KEY, context=(str(organisation), agent))
    if len(key) != KEY or exchange_public(key) != sealing_key:
        raise SealBroken("it is not the organisation's key")
    return key


def wrap_token(token: str, sealing_key: bytes, *, organisation: int, touchpoint: str) -> bytes:
    """An endpoint's token, for every agent of the organisation. Raises SealBroken."""
    return wrap(token.encode(), sealing_key, purpose=_TOKEN, context=(str(organisation), touchpoint))


def unwrap_token(wrapped: bytes, opening_key: bytes, *, organisation: int, touchpoint: str) -> str:
    """The token. Raises SealBroken."""
    token = unwrap(wrapped, opening_key, purpose=_TOKEN, context=(str(organisation), touchpoint)).decode("latin-1")
    if not is_token(token):
        raise SealBroken("it is no token")
    return token


def wrap_challenge(secret: bytes, sealing_key: bytes, *, organisation: int, agent: str) -> bytes:
    """What an agent must open before it is ready: 48 bytes longer. Bound to that agent. Raises SealBroken."""
    return wrap(secret, sealing_key, purpose=_READINESS, context=(str(organisation), agent))


def unwrap_challenge(wrapped: bytes, opening_key: bytes, *, organisation: int, agent: str) -> bytes:
    """What a challenge for this agent holds, 32 bytes.

    The purpose binds: whoever sends something else to be opened, such as a wrapped data key, does not get it opened by this.
    Raises SealBroken.
    """
    secret = unwrap(wrapped, opening_key, purpose=_READINESS, context=(str(organisation), agent))
    if len(secret) != KEY:
        raise SealBroken("it is no challenge")
    return secret


class DataKey:
    """A data key that opens: AES-256-GCM, bound to organisation, key and event."""

    __slots__ = ("_bound", "_cipher", "_key", "id", "organisation")

    def __init__(self, id: str, key: bytes, *, organisation: int) -> None:  # noqa: A002 - what it is called everywhere
        self.id = id
        self.organisation = organisation
        self._key = key
        self._cipher = AESGCM(key)
        self._bound = parts("event", str(organisation), id)

    def open(self, sealed: bytes, *, event_id: str) -> bytes:
        """What was sealed. Raises SealBroken."""
        if len(sealed) < _NONCE + _TAG:
            raise SealBroken("the seal is cut short")
        view = memoryview(sealed)
        try:
            return self._cipher.decrypt(view[:_NONCE], view[_NONCE:], self._bound + event_id.encode())
        except InvalidTag as error:
            raise SealBroken("the seal does not fit its key, organisation and event") from error


class SealingKey(DataKey):
    """A data key that seals too. Its nonces never repeat: a counter, after a random prefix."""

    __slots__ = ("_count", "_counter", "_made_at", "_prefix")

    def __init__(self, id: str, key: bytes, *, organisation: int, prefix: bytes, now: Micros) -> None:  # noqa: A002 - as above
        super().__init__(id, key, organisation=organisation)
        self._prefix = prefix
        self._count = 0
        self._counter = itertools.count(1)
        self._made_at = now

    def seal(self, packed: bytes, *, event_id: str) -> bytes:
        """Nonce, ciphertext and tag: 28 bytes longer."""
        self._count = count = next(self._counter)  # one step, also where threads seal large bodies
        nonce = self._prefix + _COUNTER.pack(count)
        return nonce + self._cipher.encrypt(nonce, packed, self._bound + event_id.encode())

    def due(self, now: Micros) -> bool:
        """Whether it is to be replaced: after a minute, after 2**20 seals, or when the clock went back."""
        return not 0 <= now - self._made_at < KEY_LIVES or self._count >= KEY_SEALS

    def wrapped(self, sealing_key: bytes) -> bytes:
        """This key for the organisation's agents (80 bytes), as `Queue.put_key` keeps it. Raises SealBroken."""
        return wrap(self._key, sealing_key, purpose=_DATA_KEY, context=(str(self.organisation), self.id))


def new_data_key(chance: Chance, *, organisation: int, now: Micros) -> SealingKey:
    """A fresh key with a fresh id (26 characters)."""
    key_id = base64.b32encode(chance(16)).decode().rstrip("=").lower()
    return SealingKey(key_id, chance(KEY), organisation=organisation, prefix=chance(_PREFIX), now=now)


def open_data_key(id: str, wrapped: bytes, opening_key: bytes, *, organisation: int) -> DataKey:  # noqa: A002 - as above
    """A data key out of a batch's `keys`, by the organisation's private key. Raises SealBroken."""
    key = unwrap(wrapped, opening_key, purpose=_DATA_KEY, context=(str(organisation), id))
    if len(key) != KEY:
        raise SealBroken("it is no data key")
    return DataKey(id, key, organisation=organisation)

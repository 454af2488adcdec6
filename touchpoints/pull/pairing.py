"""Pairing: a code that a person carries from the proxy to the agent, and what both sides prove with it.

Four characters of the code find the pairing; the other sixteen (80 bits) never travel. Each side proves that it knows them by
a MAC over everything that was said, both public keys among it, so that whoever sits between cannot put in keys of its own.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from touchpoints.problem import ProblemError, problem
from touchpoints.pull import crockford
from touchpoints.pull.key import Chance
from touchpoints.pull.text import parts

FIND = 4
SECRET = 16
NONCE = 16  # bytes

_GROUPS = 6
_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A pairing code: 20 Crockford base32 characters, of which the last sixteen are never sent."""

    find: str  # four characters
    secret: str = field(repr=False)  # sixteen

    def text(self) -> str:
        """As a person reads it: `XXXX-XXXX-XXXX-XXXX-XXXX`."""
        return crockford.grouped(self.find + self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRequest:
    """POST /v1/pair. Keys are public halves, 32 bytes."""

    find: str
    name: str  # the agent's
    version: str
    nonce: bytes  # 16 random bytes
    signing_key: bytes
    exchange_key: bytes
    sealing_key: bytes  # the organisation's, should it have none yet
    recovery_box: bytes = field(repr=False)
    proof: bytes = b""  # agent_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswer:
    """What the proxy answers. The agent is the organisation's first when `sealing_key` is the one it sent."""

    agent_id: str
    organisation: int
    domain: str
    state: str  # ready | waiting
    sealing_key: bytes  # the organisation's
    proxy_key: bytes  # public Ed25519, to be pinned
    wildcard: bool
    nonce: bytes  # 16 random bytes
    proof: bytes = b""  # proxy_proof


def new_code(chance: Chance) -> Code:
    """A fresh code: 100 random bits."""
    characters = crockford.draw(chance, FIND + SECRET)
    return Code(find=characters[:FIND], secret=characters[FIND:])


def parse_code(text: str) -> Code:
    """A code as a person types it: lower case, spaces and dashes anywhere, O for 0, I and L for 1.

    Raises ProblemError(pairing_code_malformed).
    """
    characters = crockford.read(text, FIND + SECRET)
    if characters is None:
        raise ProblemError(problem("pairing_code_malformed", path="code"))
    return Code(find=characters[:FIND], secret=characters[FIND:])


def agent_proof(secret: str, request: PairRequest) -> bytes:
    """The agent's MAC over the request (its `proof` left out), 32 bytes. `secret` is the code's sixteen characters."""
    return _mac(secret, parts("pair request", *_said(request)))


def check_agent_proof(secret: str, request: PairRequest) -> bool:
    """Whether `request.proof` is right, in constant time."""
    return hmac.compare_digest(agent_proof(secret, request), request.proof)


def proxy_proof(secret: str, request: PairRequest, answer: PairAnswer) -> bytes:
    """The proxy's MAC over request and answer (proofs left out), 32 bytes."""
    return _mac(
        secret,
        parts(
            "pair answer",
            *_said(request),
            answer.agent_id,
            str(answer.organisation),
            answer.domain,
            answer.state,
            answer.sealing_key,
            answer.proxy_key,
            "wildcard" if answer.wildcard else "",
            answer.nonce,
        ),
    )


def check_proxy_proof(secret: str, request: PairRequest, answer: PairAnswer) -> bool:
    """Whether `answer.proof` is right, in constant time."""
    return hmac.compare_digest(proxy_proof(secret, request, answer), answer.proof)


def fingerprint(signing_key: bytes, exchange_key: bytes) -> str:
    """What a person compares: six groups of five digits (99 bits) of both public keys."""
    number = int.from_bytes(hashlib.sha256(parts("fingerprint", signing_key, exchange_key)).digest())
    digits = f"{number % 10 ** (_GROUPS * _DIGITS):0{_GROUPS * _DIGITS}}"
    return " ".join(digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS))


def _said(request: PairRequest) -> tuple[str | bytes, ...]:
    return (
        request.find,
        request.name,
        request.version,
        request.nonce,
        request.signing_key,
        request.exchange_key,
        request.sealing_key,
        request.recovery_box,
    )


def _mac(secret: str, text: bytes) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=parts("pairing key")).derive(secret.encode())
    return hmac.digest(key, text, "sha256")

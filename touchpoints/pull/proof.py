"""Proofs: each request is signed by the agent, each answer by the proxy. No secret travels and no clock is compared.

A challenge is the proxy's, a count the agent's: together they are never used twice, so that a request that was overheard is
worth nothing. An answer is bound to the signature of the request that it answers: an older one never fits.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.text import PROTOCOL, parts

AGENT = "hookport-agent"  # header names, lower-cased
CHALLENGE = "hookport-challenge"
COUNT = "hookport-count"
SIGNATURE = "hookport-signature"
PROOF = "hookport-proof"

WINDOW = 1024  # how far behind the highest count a late one is still taken
HIGHEST = 2**63 - 1

_SIGNED = (AGENT, CHALLENGE, COUNT, SIGNATURE)
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
_COUNT = re.compile(r"[1-9][0-9]{0,18}")
_SIGNATURE = re.compile(r"[0-9A-Za-z+/]{86}==")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestProof:
    """What a signed request carries in its four headers.

    `count` is above 0 and never used twice by an agent, whatever the challenge: it goes on by one after a new challenge too,
    and a started agent begins above all that it used before, as the time in microseconds is. The challenge travels unsigned:
    who is between could else have an agent sign the same request again, and give it the answer to the older one.
    """

    agent: str
    challenge: str
    count: int
    signature: bytes  # 64 bytes, Ed25519

    def headers(self) -> dict[str, str]:
        """The four headers."""
        return {
            AGENT: self.agent,
            CHALLENGE: self.challenge,
            COUNT: str(self.count),
            SIGNATURE: base64.b64encode(self.signature).decode(),
        }


def new_challenge(chance: Callable[[int], bytes]) -> str:
    """A challenge for one agent: 128 random bits, Base64 for URLs, 22 characters."""
    return base64.urlsafe_b64encode(chance(16)).rstrip(b"=").decode()


def request_text(*, agent: str, method: str, path: str, challenge: str, count: int, body: bytes) -> bytes:
    """The canonical text of a request: what its signature covers. `path` with the query as sent."""
    return _lines("request", agent, method, path, challenge, str(count), hashlib.sha256(body).hexdigest())


def sign_request(
    private: bytes, *, agent: str, method: str, path: str, challenge: str, count: int, body: bytes
) -> RequestProof:
    """Sign a request with the agent's private Ed25519 key."""
    text = request_text(agent=agent, method=method, path=path, challenge=challenge, count=count, body=body)
    return RequestProof(agent=agent, challenge=challenge, count=count, signature=_sign(private, text))


def read_proof(headers: Mapping[str, str]) -> RequestProof | None:
    """The proof out of a request's headers (lower-cased names); None: the request is not signed. Raises PullMalformed."""
    found = {name: headers[name] for name in _SIGNED if name in headers}
    if AGENT not in found and SIGNATURE not in found:
        return None
    if len(found) < len(_SIGNED):
        raise PullMalformed(f"a signed request needs all of {', '.join(_SIGNED)}")
    for name, form in zip(_SIGNED, (_ID, _ID, _COUNT, _SIGNATURE), strict=True):
        if form.fullmatch(found[name]) is None:
            raise PullMalformed(f"the header {name} cannot be read")
    count = int(found[COUNT])
    if count > HIGHEST:
        raise PullMalformed(f"the header {COUNT} is too large")
    return RequestProof(
        agent=found[AGENT], challenge=found[CHALLENGE], count=count, signature=base64.b64decode(found[SIGNATURE])
    )


def check_request(public: bytes, proof: RequestProof, *, method: str, path: str, body: bytes) -> bool:
    """Whether the agent with that public key signed this request. Never raises."""
    try:
        text = request_text(
            agent=proof.agent, method=method, path=path, challenge=proof.challenge, count=proof.count, body=body
        )
    except PullMalformed:
        return False
    return _holds(public, proof.signature, text)


def answer_text(*, signature: bytes, status: int, body: bytes | Sequence[bytes]) -> bytes:
    """The canonical text of an answer. `signature` is the request's: an answer to another request never fits."""
    digest = hashlib.sha256()
    for piece in (body,) if isinstance(body, bytes) else body:
        digest.update(piece)
    return _lines("answer", base64.b64encode(signature).decode(), str(status), digest.hexdigest())


def sign_answer(private: bytes, *, signature: bytes, status: int, body: bytes | Sequence[bytes]) -> str:
    """The value of `Hookport-Proof`: Base64. The body may come in pieces, as a batch's frames do."""
    return base64.b64encode(_sign(private, answer_text(signature=signature, status=status, body=body))).decode()


def check_answer(public: bytes, proof: str, *, signature: bytes, status: int, body: bytes) -> bool:
    """Whether the proxy with that pinned key gave this answer to that request. Never raises."""
    if _SIGNATURE.fullmatch(proof) is None:
        return False
    return _holds(public, base64.b64decode(proof), answer_text(signature=signature, status=status, body=body))


def sign_renewal(new_private: bytes, *, agent: str, old_public: bytes) -> bytes:
    """The proof that the agent has the private half of its new signing key."""
    return _sign(new_private, parts("renew", agent, old_public))


def check_renewal(new_public: bytes, proof: bytes, *, agent: str, old_public: bytes) -> bool:
    """Whether it has. Never raises."""
    return _holds(new_public, proof, parts("renew", agent, old_public))


class Counts:
    """The counts used under one challenge. Concurrent requests may arrive out of order, within `WINDOW`."""

    __slots__ = ("_highest", "_used")

    def __init__(self) -> None:
        self._highest = 0
        self._used = 0  # bit n: whether `_highest - n` was used

    def use(self, count: int) -> bool:
        """Whether this count is good, which it is once. Ask only after the signature was checked."""
        if not 0 < count <= HIGHEST:
            return False
        if count > self._highest:
            ahead = count - self._highest
            self._used = (self._used << ahead & (1 << WINDOW) - 1 if ahead < WINDOW else 0) | 1
            self._highest = count
            return True
        behind = self._highest - count
        if behind >= WINDOW or self._used >> behind & 1:
            return False
        self._used |= 1 << behind
        return True


def _lines(kind: str, *values: str) -> bytes:
    """The protocol's name and what it is, then a line for each value; none of them can hold a line's end.

    Raises PullMalformed for a value that does: the line after it would be the sender's to choose.
    """
    if not all(map(_PRINTABLE.fullmatch, values)):
        raise PullMalformed("a signed value holds a character that is not printable ASCII")
    return "".join(f"{line}\n" for line in (f"{PROTOCOL} {kind}", *values)).encode()


def _sign(private: bytes, text: bytes) -> bytes:
    return _signer(private).sign(text)


@lru_cache(maxsize=4)  # a process signs with one or two; making one ready costs as much as signing
def _signer(private: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(private)


def _holds(public: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True

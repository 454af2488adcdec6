"""The declaration: what an agent tells the proxy of its touchpoints, so that nothing is typed twice. No secret is in it."""

import hashlib
from dataclasses import dataclass, field

from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.text import parts

MOST_TOUCHPOINTS = 2000
MOST_ALIASES = 64  # of one touchpoint
MOST_TOKENS = 64
MOST_METHODS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredToken:
    """A token of an endpoint URL: the proxy knows its hash, and keeps it sealed for the organisation's other agents."""

    digest: bytes  # SHA-256 of the token's ASCII
    sealed: bytes = field(repr=False)  # the token, wrapped for the organisation; only agents open it
    retiring: bool = False  # replaced, and still answered until the proxy's overlap has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTouchpoint:
    """One touchpoint as the proxy must know it. `name` is unique in the organisation."""

    name: str
    aliases: tuple[str, ...] = ()
    state: str = "running"  # running | hold | setup are answered; disabled is answered like an unknown one
    methods: tuple[str, ...] = ("POST",)
    ack: str = "empty"  # the name of the answer to an accepted event: see touchpoints.ack
    handshake: str = ""  # kinds and arguments, see touchpoints.handshake
    tokens: tuple[DeclaredToken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """All touchpoints of an agent. The lease holder's counts."""

    touchpoints: tuple[DeclaredTouchpoint, ...] = ()


def declaration_digest(declaration: Declaration) -> str:
    """SHA-256 in hex of what is declared, in whatever order. Sealed tokens are left out: sealing again is no change."""
    blocks = [_block(one) for one in sorted(declaration.touchpoints, key=lambda one: one.name)]
    return hashlib.sha256(parts("declaration", *blocks)).hexdigest()


def check_declaration(declaration: Declaration) -> None:
    """Raises PullMalformed where a name, alias or token stands for two touchpoints."""
    names = [name for one in declaration.touchpoints for name in (one.name, *one.aliases)]
    if len(set(names)) != len(names):
        raise PullMalformed("a name or alias that stands for two touchpoints")
    digests = [token.digest for one in declaration.touchpoints for token in one.tokens]
    if len(set(digests)) != len(digests):
        raise PullMalformed("a token that is declared twice")


def _block(touchpoint: DeclaredTouchpoint) -> bytes:
    return parts(
        "touchpoint",
        touchpoint.name,
        touchpoint.state,
        touchpoint.ack,
        touchpoint.handshake,
        ",".join(sorted(touchpoint.aliases)),
        ",".join(sorted(touchpoint.methods)),
        *sorted(token.digest + bytes([token.retiring]) for token in touchpoint.tokens),
    )

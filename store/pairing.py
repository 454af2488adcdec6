"""The pairing: who this agent is at a hosted proxy, kept in the configuration file, its private keys sealed by the vault."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from touchpoints.moment import Micros

MOST_RESERVED = 2_000  # names kept for touchpoints that were never made


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointToken:
    """The token of a touchpoint's endpoint URL at the proxy."""

    touchpoint: int  # the touchpoint's id here
    token: str = field(repr=False)
    retiring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One pairing with one proxy."""

    id: str  # organisation and proxy, made at pairing
    url: str  # of the proxy, without a slash at its end
    organisation: int  # its id at the proxy, which seals are bound to
    domain: str
    wildcard: bool  # whether endpoint URLs may begin with https://<domain>.<proxy>/
    agent_id: str
    agent_name: str
    signing_key: bytes = field(repr=False)  # private Ed25519, 32 bytes
    exchange_key: bytes = field(repr=False)  # private X25519, 32 bytes
    proxy_key: bytes  # the proxy's public Ed25519 key, pinned at pairing
    sealing_key: bytes  # the organisation's public X25519 key
    opening_key: bytes = field(default=b"", repr=False)  # its private half; empty: waits for a person's approval
    paired_at: Micros = 0
    key_renewed_at: Micros = 0
    former_key: bytes = field(default=b"", repr=False)  # the signing key before: all that a proxy put back to then knows


class PairingStore(Protocol):
    """Keeps at most one pairing and its endpoint tokens. Raises StoreUnavailable."""

    async def load(self) -> Pairing | None:
        """The pairing; raises ProblemError(secret_unreadable) where the key file is another."""

    async def save(self, pairing: Pairing, *, actor: str, now: Micros) -> None:
        """Write or replace it, with an audit line."""

    async def forget(self, *, actor: str, now: Micros) -> None:
        """This agent is no longer paired; endpoint tokens go too."""

    async def tokens(self) -> tuple[EndpointToken, ...]:
        """Every endpoint token."""

    async def save_tokens(self, tokens: tuple[EndpointToken, ...]) -> None:
        """Replace them all."""

    async def touchpoint_id(self, name: str) -> int:
        """The id of a touchpoint by name or alias; for a name this agent does not have, an id kept for it, so that what came
        for it waits and runs once a touchpoint of that name is made. 0 for what cannot be a name, and once MOST_RESERVED
        are kept."""

    async def reserved_names(self) -> Mapping[int, str]:
        """Names that an id is kept for, because events came for them, by that id."""

    async def removed_names(self) -> frozenset[str]:
        """Names of touchpoints that a person removed here: these are not declared on another agent's behalf."""

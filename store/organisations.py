"""The organisations of a hosted proxy: their agents, endpoints, pairing codes and keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from touchpoints.moment import DAY, MINUTE, Micros
from touchpoints.pull.declaration import Declaration

CODE_LIVES: Micros = 10 * MINUTE
CODE_TRIES = 5
NAME_RESTS: Micros = 365 * DAY  # a removed organisation's name is not given away sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One tenant. Its id is never used again."""

    id: int
    name: str  # the proxy domain
    quota_events: int | None = None  # None: the server's default
    quota_bytes: int | None = None
    sealing_key: bytes | None = None  # public X25519 half; None until the first agent has paired
    recovery_box: bytes = field(default=b"", repr=False)  # the private half under the recovery key: useless without that
    declaration: str = ""  # digest of the declaration that counts now
    created_at: Micros = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedAgent:
    """One agent of an organisation, as the proxy knows it."""

    id: str
    organisation: int
    name: str
    signing_key: bytes  # public Ed25519
    next_signing_key: bytes = b""  # while its key is renewed both are good
    exchange_key: bytes  # public X25519
    fingerprint: str  # what a person compares: see touchpoints.pull.pairing.fingerprint
    state: str  # waiting: paired, without the organisation's key yet | ready | revoked
    wrapped_key: bytes = field(default=b"", repr=False)  # the organisation's private key wrapped for this agent, by another
    version: str = ""
    paired_at: Micros = 0
    last_seen_at: Micros = 0
    lacking: tuple[str, ...] = ()  # touchpoints it has not, or not the secret of


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """An open pairing code. The part that is never sent is kept sealed."""

    find: str  # four characters
    secret: str = field(repr=False)  # sixteen
    organisation: int
    replaces: str = ""  # id of the agent whose place the new one takes
    expires_at: Micros
    tries_left: int
    spent_by: str = ""  # id of the agent that it brought; empty: nobody used it


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyEndpoint:
    """One token of one touchpoint, ready to be looked up by its hash."""

    id: int
    organisation: int
    domain: str  # the organisation's name
    names: frozenset[str]  # touchpoint and aliases, any of which the URL may carry
    touchpoint: str
    token_digest: bytes
    methods: tuple[str, ...]
    ack: str
    handshake: str
    retires_at: Micros | None = None  # rotated: answered until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What an agent brings when it pairs."""

    name: str
    version: str
    signing_key: bytes
    exchange_key: bytes
    fingerprint: str
    sealing_key: bytes = b""  # the key pair's public half it made, for an organisation that has none
    recovery_box: bytes = field(default=b"", repr=False)


class Organisations(Protocol):
    """Everything a proxy keeps about its tenants beside their events. Raises ProblemError for what a person must mend."""

    async def add(
        self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
    ) -> Organisation:
        """Raises ProblemError: domain_taken, domain_rests (removed less than a year ago), and what `touchpoints.name` finds."""

    async def all(self) -> Sequence[Organisation]:
        """Every organisation, by name."""

    async def named(self, name: str) -> Organisation:
        """Raises ProblemError(organisation_unknown)."""

    async def change(
        self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
    ) -> Organisation:
        """Set an organisation's quota; None: the server's default."""

    async def remove(self, name: str, *, actor: str, now: Micros) -> Organisation:
        """Remove it with agents, endpoints and codes; its name rests for a year. The caller erases its events."""

    async def open_code(self, name: str, *, find: str, secret: str, replaces: str, actor: str, now: Micros) -> PairingCode:
        """A further code, good for ten minutes. `replaces` names an agent (name or id); empty: none."""

    async def code(self, find: str, *, now: Micros) -> PairingCode | None:
        """A code by its first four characters; None when there is none, it expired, or is out of tries.

        One that is spent is still given while it would live: `pair` gives its agent the same answer again, and nobody else one.
        """

    async def code_failed(self, find: str, *, now: Micros) -> None:
        """A wrong proof: one try less."""

    async def pair(self, find: str, agent_id: str, newcomer: Newcomer, *, now: Micros) -> PairedAgent:
        """Spend a code and write the agent down, in one transaction. Asked again with the same signing key, while the code
        still live, it gives the same agent: an answer that was lost can be asked for again.

        - The first agent of an organisation brings the sealing key and is ready; later ones wait for their key.
        - An agent that it replaces is revoked in the same transaction.
        - Raises ProblemError(pairing_code_spent).
        """

    async def agent(self, agent_id: str) -> PairedAgent | None:
        """An agent by its id, revoked ones too."""

    async def agents(self, organisation: int) -> Sequence[PairedAgent]:
        """Every agent of an organisation, the revoked ones last."""

    async def everyone(self) -> Sequence[PairedAgent]:
        """Every agent of every organisation, in one look: the listener's snapshot."""

    async def hand_over(self, organisation: int, agent_id: str, wrapped_key: bytes, *, by: str, now: Micros) -> None:
        """A person at a ready agent approved another: its wrapped key is kept for it, and it is ready once it says so."""

    async def ready(self, agent_id: str, *, now: Micros) -> None:
        """The agent has the organisation's private key, from another agent or by the recovery key."""

    async def revoke(self, organisation: int, agent: str, *, actor: str, now: Micros) -> PairedAgent:
        """By name or id. Its key is refused from the next request on. Raises ProblemError(agent_unknown)."""

    async def renew_key(self, agent_id: str, *, new: bytes, now: Micros) -> None:
        """A second signing key, good beside the first until it is used (see `key_used`)."""

    async def key_used(self, agent_id: str, key: bytes) -> None:
        """The new key was used: the old one is worth nothing from now on."""

    async def seen(self, agents: Mapping[str, tuple[Micros, str, tuple[str, ...]]]) -> None:
        """When agents were last seen, their versions and what they lack; written together, every few seconds."""

    async def declare(self, organisation: int, declaration: Declaration, *, digest: str, overlap: Micros, now: Micros) -> None:
        """Take up the lease holder's declaration whole. A token that is no longer in it, or is retiring, is answered until
        `overlap` has passed; one that comes back is whole again. A digest of another organisation's token is refused:
        ProblemError(token_taken)."""

    async def declaration(self, organisation: int) -> tuple[str, Declaration]:
        """The digest and the declaration that counts now, sealed tokens and all."""

    async def endpoints(self) -> Sequence[ProxyEndpoint]:
        """Every endpoint of every organisation: the listener's snapshot, made anew after each change."""

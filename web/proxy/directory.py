"""The directory: which token belongs to which endpoint. A snapshot, replaced whole after each change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from store.organisations import Organisation, PairedAgent, ProxyEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Every endpoint by its token's digest, every organisation and every agent by id."""

    endpoints: Mapping[bytes, ProxyEndpoint] = field(default_factory=dict)
    organisations: Mapping[int, Organisation] = field(default_factory=dict)
    agents: Mapping[str, PairedAgent] = field(default_factory=dict)  # the revoked ones too: they are told so


def directory_of(
    organisations: Iterable[Organisation], endpoints: Iterable[ProxyEndpoint], agents: Iterable[PairedAgent]
) -> Directory:
    """The snapshot of what is stored."""
    return Directory(
        endpoints={endpoint.token_digest: endpoint for endpoint in endpoints},
        organisations={organisation.id: organisation for organisation in organisations},
        agents={agent.id: agent for agent in agents},
    )

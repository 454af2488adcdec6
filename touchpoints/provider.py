"""Providers: what is known of each sender, one file of `providers/` each. Their words are in the page's catalogue.

A file is data: adding a provider is adding a file. Selectors and templates are those of `touchpoints.selector` and
`touchpoints.template`; `verify` holds fields of `Verification`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from touchpoints.touchpoint import Dedup, Verification

GROUPS = ("commerce", "payments", "crm", "messaging", "identity", "documents", "code", "work", "any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An event for testing a touchpoint, as the provider could have sent it."""

    body: str
    event_type: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One kind of sender. `verify` and `dedup` are the file's own fields; `verification()` and `dedup_rule()` make values."""

    name: str
    label: str
    group: str  # one of GROUPS, for the picker
    confidence: Mapping[str, str]  # field group → A primary source, B secondary, C general knowledge, ? unsure or in conflict
    sources: tuple[str, ...]
    verify: Mapping[str, Any]
    sample: Sample
    alternatives: tuple[Mapping[str, Any], ...] = ()  # further ways to prove the same sender, each whole: see Touchpoint
    dedup: Mapping[str, Any] = field(default_factory=dict)
    event_type: str = ""  # selector
    reference: str = ""  # selector
    handshake: str = ""  # `kind:argument`, several divided by `|`: see touchpoints.handshake
    methods: tuple[str, ...] = ("POST",)  # by which events come; those of handshakes are known by their kinds
    ack: str = "empty"  # the name of the answer to an accepted event: see touchpoints.ack
    items: str | None = None  # JSON pointer of the list in a body that carries several events ("" is the whole body)
    types: tuple[str, ...] = ()  # event types it is known to send, for suggestions
    open: tuple[str, ...] = ()  # what a configuration may set: "verify", "dedup", "credential"
    secret: str = "secret"  # noqa: S105 - what its secret is, a key of words: secret, token, public_key, topic, organisation …
    covers: str = "body"  # what its proof vouches for: body | fields (only some of it) | checksum (weakly) | nothing
    link: str = ""  # the provider's own page about its webhooks

    @property
    def unsure(self) -> tuple[str, ...]:
        """Field groups that were not found in a primary or secondary source; the page says so."""
        return tuple(group for group, letter in self.confidence.items() if letter not in {"A", "B"})

    def verification(self, **overlay: Any) -> Verification:
        """How its senders are proved; `overlay` holds fields of the configuration. Raises TypeError for an unknown field."""
        return Verification(**_frozen({**self.verify, **overlay}))

    def other_verifications(self) -> tuple[Verification, ...]:
        """The alternatives. Raises TypeError for an unknown field."""
        return tuple(Verification(**_frozen(one)) for one in self.alternatives)

    def dedup_rule(self, **overlay: Any) -> Dedup:
        """Where its dedup key stands; `overlay` holds fields of the configuration. Raises TypeError for an unknown field."""
        return Dedup(**{**self.dedup, **overlay})


def _frozen(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


_FOLDER = files("touchpoints").joinpath("providers")


@cache
def provider(name: str) -> Provider:
    """The provider of that name. Raises KeyError (`provider_unknown`), and TypeError for an unknown or missing field."""
    if name not in provider_names():
        raise KeyError(name)
    row = _frozen(tomllib.loads(_FOLDER.joinpath(f"{name}.toml").read_text(encoding="utf-8")))
    return Provider(name=name, **(row | {"sample": Sample(**row["sample"])}))


@cache
def provider_names() -> tuple[str, ...]:
    """Every provider's name, sorted; `generic` last."""
    names = [part.name.removesuffix(".toml") for part in _FOLDER.iterdir() if part.name.endswith(".toml")]
    return tuple(sorted(names, key=lambda name: (name == "generic", name)))


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by name, in the order of `provider_names`. Raises as `provider` does."""
    return MappingProxyType({name: provider(name) for name in provider_names()})

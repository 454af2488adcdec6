"""Providers: what is known of each sender, one table of `providers.toml` each."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from touchpoints.touchpoint import Dedup, Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An event for testing a touchpoint, as the provider could have sent it."""

    body: str
    event_type: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One kind of sender. `verify` and `dedup` are the table's own fields; `verification()` and `dedup_rule()` make values."""

    name: str
    label: str
    confidence: Mapping[str, str]  # field group → A primary source, B secondary, C general knowledge
    sources: tuple[str, ...]
    verify: Mapping[str, Any]
    sample: Sample
    dedup: Mapping[str, Any] = field(default_factory=dict)
    event_type: str = ""  # selector
    reference: str = ""  # selector
    handshake: str = ""  # `kind:argument`, see touchpoints.handshake
    methods: tuple[str, ...] = ("POST",)
    ack: int = 200  # status of the empty answer to an accepted event
    open: tuple[str, ...] = ()  # what a configuration may set: "verify", "dedup", "credential"

    def verification(self, **overlay: Any) -> Verification:
        """How its senders are proved; `overlay` holds fields of the configuration. Raises TypeError for an unknown field."""
        return Verification(**{**self.verify, **overlay})

    def dedup_rule(self, **overlay: Any) -> Dedup:
        """Where its dedup key stands; `overlay` holds fields of the configuration. Raises TypeError for an unknown field."""
        return Dedup(**{**self.dedup, **overlay})


def _provider(name: str, row: dict[str, Any]) -> Provider:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Provider(name=name, **(fields | {"sample": Sample(**row["sample"])}))


@cache
def providers() -> Mapping[str, Provider]:
    """Every provider by name, in the table's order. Raises TypeError for a table with an unknown or missing field."""
    text = files("touchpoints").joinpath("providers.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _provider(name, row) for name, row in tomllib.loads(text).items()})


def provider(name: str) -> Provider:
    """The provider of that name. Raises KeyError; the problem for a person is `provider_unknown`."""
    return providers()[name]

"""The picker: every provider under its group's heading, each a link; with scripts a list that narrows while one types."""

from collections.abc import Callable
from dataclasses import dataclass

from touchpoints.provider import GROUPS, Provider, providers
from web.page.provider_words import unsure_words
from web.page.words import known, t


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One provider of the list."""

    name: str
    label: str
    to: str  # where the link leads
    unsure: str  # what is not sure about it, in words
    sought: str  # what it is found by, in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class PickGroup:
    """Providers of a kind."""

    name: str
    title: str
    picks: tuple[Pick, ...]


def pick_groups(to: Callable[[str], str]) -> list[PickGroup]:
    """All groups that have a provider, in their order; `to` makes the link's address of a provider's name."""
    found = []
    for group in GROUPS:
        title = t(f"provider.group.{group}")
        members = [one for one in providers().values() if one.group == group]
        members.sort(key=lambda one: (one.name == "generic", one.label.lower()))
        picks = tuple(_pick(one, title, to) for one in members)
        if picks:
            found.append(PickGroup(name=group, title=title, picks=picks))
    return found


def _pick(one: Provider, title: str, to: Callable[[str], str]) -> Pick:
    aliases = t(f"provider.alias.{one.name}") if known(f"provider.alias.{one.name}") else ""
    sought = " ".join((one.label, one.name.replace("_", " "), aliases, title)).lower()
    return Pick(name=one.name, label=one.label, to=to(one.name), unsure=unsure_words(one, short=True), sought=sought)

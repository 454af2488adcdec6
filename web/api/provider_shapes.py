"""The shapes of what the API tells of providers. Keys are only ever added."""

from typing import TypedDict


class ProviderShape(TypedDict):
    """One kind of sender. `needs` names the settings of a touchpoint it has a use for; `unsure` what was not confirmed."""

    name: str
    label: str
    group: str
    needs: list[str]
    secret: str
    covers: str
    types: list[str]
    unsure: list[str]
    link: str


class ProviderList(TypedDict):
    """All kinds of senders."""

    providers: list[ProviderShape]

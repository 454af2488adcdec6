"""The endpoint: what the public listener must know of a touchpoint, and the snapshot it looks names up in."""

from collections.abc import Mapping
from dataclasses import dataclass

from touchpoints.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A touchpoint that can be posted to; disabled ones have none."""

    touchpoint: Touchpoint
    url: str  # the endpoint URL a sender was given: the touchpoint's public_url, else {host_public_url}/hooks/<name>


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """All endpoints by name and alias; replaced whole when the configuration changes, so that a request sees one state."""

    endpoints: Mapping[str, Endpoint]

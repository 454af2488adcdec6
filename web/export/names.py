"""What the log's numbers are called: touchpoints, destinations and providers."""

from collections.abc import Mapping
from dataclasses import dataclass

from store.settings import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names by id, also of removed ones as far as the configuration remembers them."""

    touchpoints: Mapping[int, str]
    destinations: Mapping[int, str]
    providers: Mapping[int, str]  # by touchpoint; a removed touchpoint's provider is forgotten

    def touchpoint(self, number: int) -> str:
        """A touchpoint's name."""
        return self.touchpoints.get(number, f"#{number}")

    def destination(self, number: int) -> str:
        """A destination's name."""
        return self.destinations.get(number, f"#{number}")

    def provider(self, touchpoint: int) -> str:
        """A touchpoint's provider, or empty."""
        return self.providers.get(touchpoint, "")


def names_of(configuration: Configuration) -> Names:
    """The names a configuration gives."""
    living = configuration.touchpoints
    return Names(
        touchpoints=configuration.touchpoint_names | {one.id: one.name for one in living},
        destinations=configuration.destination_names | {to.id: to.name for one in living for to in one.destinations},
        providers={one.id: one.provider for one in living},
    )

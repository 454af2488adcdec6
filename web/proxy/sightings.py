"""The sightings: when each agent was last heard, and what it said of itself; written down every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The last word of an agent."""

    at: Micros
    version: str = ""
    lacking: tuple[str, ...] = ()
    paused: str = ""


class Sightings:
    """The agents that were heard since the last `take`, and the last word of all."""

    def __init__(self) -> None:
        self._last: dict[str, Sighting] = {}
        self._fresh: set[str] = set()
        self._goodbyes: dict[str, int] = {}

    def note(self, agent_id: str, sighting: Sighting) -> None:
        """An agent was heard."""
        self._last[agent_id] = sighting
        self._fresh.add(agent_id)

    def goodbye(self, agent_id: str) -> None:
        """It gave the lease back: pulls of its that still wait must not take it again."""
        self._goodbyes[agent_id] = self.goodbyes(agent_id) + 1

    def goodbyes(self, agent_id: str) -> int:
        """How often it has."""
        return self._goodbyes.get(agent_id, 0)

    def last(self, agent_id: str) -> Sighting | None:
        """The last word of an agent since this process began."""
        return self._last.get(agent_id)

    def take(self) -> Mapping[str, tuple[Micros, str, tuple[str, ...]]]:
        """What `Organisations.seen` is to write down now."""
        fresh, self._fresh = self._fresh, set()
        seen = {agent: self._last[agent] for agent in fresh}
        return {agent: (one.at, one.version, one.lacking) for agent, one in seen.items()}

    def forget(self, agent_id: str) -> None:
        """It is gone for good."""
        self._last.pop(agent_id, None)
        self._fresh.discard(agent_id)
        self._goodbyes.pop(agent_id, None)

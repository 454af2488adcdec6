"""What a backup that was put back leaves to a person: deliveries that waited then, and may have been made since."""

from collections.abc import Callable, Iterator
from typing import Protocol

from appliance.deeds import Deeds
from appliance.needs import Need
from store.inbox import StoreUnavailable
from store.log import Filter
from touchpoints.moment import Micros, rfc3339
from touchpoints.problem import problem

RESTORED = "restored_of"  # the fact that tells of which moment the backup was


class Facts(Protocol):
    """Where facts about this instance are kept; see store.sqlite.instance."""

    async def fact(self, key: str) -> str:
        """What is kept under a key, or empty."""

    async def keep_fact(self, key: str, value: str) -> None:
        """Keep a fact."""


class Aftermath:
    """Told for as long as one of those deliveries is held."""

    def __init__(self, facts: Facts, *, deeds: Callable[[], Deeds | None]) -> None:
        self._facts = facts
        self._deeds = deeds
        self._moment: Micros | None = None
        self._held = 0

    async def recall(self) -> None:
        """Learn whether a backup was put back."""
        found = await self._facts.fact(RESTORED)
        self._moment = int(found) if found.isascii() and found.isdigit() else None
        await self.look()

    async def look(self) -> None:
        """Count what is still held of it; with nothing left it is over."""
        deeds = self._deeds()
        if self._moment is None or deeds is None:
            return
        try:
            held = await deeds.do("release", Filter(until=self._moment + 1, state="held", tests=True), dry_run=True)
        except StoreUnavailable:
            return
        self._held = held.changed
        if not self._held:
            self._moment = None
            await self._facts.keep_fact(RESTORED, "")

    def needs(self) -> Iterator[Need]:
        """What a person should look at."""
        if self._moment is not None and self._held:
            yield Need(problem=problem("restored", moment=rfc3339(self._moment), count=self._held), count=self._held)

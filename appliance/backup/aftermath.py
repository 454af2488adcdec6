"""What a backup that was put back leaves to a person, until somebody says that it was looked at."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from appliance.needs import Need
from store.facts import Facts
from store.sqlite.instance import RESTORED, RESTORED_UP_TO
from touchpoints.moment import Micros, told_moment
from touchpoints.problem import Problem

_ALL = (1 << 63) - 1


async def restored_up_to(facts: Facts) -> int | None:
    """The number of the last event of a backup that was put back, while nobody has looked at what it holds; else None."""
    if not await facts.fact(RESTORED):
        return None
    found = await facts.fact(RESTORED_UP_TO)
    return int(found) if found.isascii() and found.isdigit() else _ALL


class Aftermath(ABC):
    """What is told, for whichever role. `moment` is when the backup was made; None: none was put back, or it was looked at."""

    def __init__(self, facts: Facts) -> None:
        self.moment: Micros | None = None
        self._facts = facts

    async def recall(self) -> None:
        """Learn whether a backup was put back."""
        found = await self._facts.fact(RESTORED)
        self.moment = int(found) if found.isascii() and found.isdigit() else None
        await self.look()

    async def looked(self) -> None:
        """Somebody has looked. Without effect where nothing is left to be looked at."""
        if self.moment is not None:
            await self._facts.keep_fact(RESTORED, "")
            self.moment = None

    def needs(self) -> Iterator[Need]:
        """What a person should look at."""
        if self.moment is not None:
            count, words = self.told(told_moment(self.moment))
            yield Need(problem=words, count=count)

    @abstractmethod
    async def look(self) -> None:
        """Look again at what is told."""

    @abstractmethod
    def told(self, moment: str) -> tuple[int, Problem]:
        """How many things there are to look at, and the words for it."""

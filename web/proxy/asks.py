"""The synchronous lane: requests whose senders wait, such as challenges, while an agent answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from touchpoints.pull.message import Ask, Reply
from web.proxy.bells import Bells

PATIENCE = 3.0  # seconds a sender is held
MOST_HELD = 16  # requests of one organisation at once
BETWEEN = 5.0  # seconds after a pull in which its agent still counts as connected: it stores what it got, and pulls again


class NobodyAnswers(Exception):
    """No agent is connected, too many wait already, or the agent did not answer in time."""


@dataclass(slots=True, kw_only=True)
class _Held:
    organisation: int
    ask: Ask
    ends: float  # the loop's time
    answer: asyncio.Future[Reply]
    fetched: bool = False


@dataclass(slots=True)
class _Lane:
    pulls: int = 0  # of the lease holder, waiting now
    ended: float = float("-inf")  # when the last one was answered, by the loop's time
    held: dict[str, _Held] = field(default_factory=dict)


class Asks:
    """Holds requests, gives them to the lease holder's pull, and hands each sender its answer."""

    def __init__(self, bells: Bells) -> None:
        self._bells = bells
        self._lanes: dict[int, _Lane] = {}

    async def ask(self, organisation: int, make: Callable[[float], Ask]) -> Reply:
        """Have the agent answer. `make` is given the seconds that are left. Raises NobodyAnswers."""
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(organisation)
        if lane is None or len(lane.held) >= MOST_HELD or not (lane.pulls or loop.time() - lane.ended < BETWEEN):
            raise NobodyAnswers
        ask = make(PATIENCE)
        held = _Held(organisation=organisation, ask=ask, ends=loop.time() + PATIENCE, answer=loop.create_future())
        lane.held[ask.id] = held
        self._bells.ring(organisation)
        try:
            return await asyncio.wait_for(held.answer, PATIENCE)
        except TimeoutError:
            raise NobodyAnswers from None
        finally:
            lane.held.pop(ask.id, None)

    def fetch(self, organisation: int) -> tuple[Ask, ...]:
        """What the lease holder has not been given yet."""
        lane = self._lanes.get(organisation)
        if lane is None or not lane.held:
            return ()
        fresh = [held for held in lane.held.values() if not held.fetched]
        for held in fresh:
            held.fetched = True
        return tuple(held.ask for held in fresh)

    def reply(self, organisation: int, reply: Reply) -> bool:
        """The agent's answer; whether its sender still waits. Another organisation's ask is never found here."""
        lane = self._lanes.get(organisation)
        held = lane.held.get(reply.id) if lane else None
        if held is None or held.answer.done():
            return False
        held.answer.set_result(reply)
        return True

    def pull_began(self, organisation: int) -> None:
        """The lease holder waits, or will look again within a moment."""
        self._lanes.setdefault(organisation, _Lane()).pulls += 1

    def pull_ended(self, organisation: int) -> None:
        """Its pull was answered."""
        lane = self._lanes[organisation]
        lane.pulls -= 1
        lane.ended = asyncio.get_running_loop().time()

    def forget(self, organisation: int) -> None:
        """The agent said goodbye: nobody is there to answer."""
        if (lane := self._lanes.get(organisation)) is not None and not lane.pulls:
            lane.ended = float("-inf")

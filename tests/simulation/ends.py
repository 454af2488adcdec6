"""Both ends: who posts and believes a 2xx alone, and what destinations got."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import httpx

from tests.simulation.fate import Fate
from tests.simulation.loop import NODE
from tests.simulation.wire import NUMBER
from tests.whole.senders import github
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Parcel


@dataclass(slots=True)
class Ledger:
    """What was promised, and what was executed."""

    accepted: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by number: the ways it was accepted on
    forged: set[int] = field(default_factory=set)  # with a signature of somebody else
    runs: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))  # (agent, event id)
    at_proxy: dict[str, int] = field(default_factory=dict)  # event id: number

    @property
    def missing(self) -> set[int]:
        """Promised, rightly signed, and not executed so far."""
        return self.accepted.keys() - self.forged - self.runs.keys()


class SimSender:
    """A destination: it takes its time, is down now and then, and sometimes its answer is lost."""

    def __init__(self, fate: Fate, ledger: Ledger) -> None:
        self._fate = fate
        self._ledger = ledger

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:  # noqa: ARG002 - the interface names it
        """See Sender."""
        fate = self._fate
        await asyncio.sleep(fate.span(0.001, 0.05))
        if fate.happens(fate.faults / 2, "a destination was down"):
            return Failed(blame=Blame.DESTINATION, code="no_connection", error="No connection.")
        self._ledger.runs[int(job.body)].append((NODE.get().partition("#")[0], job.event.id))
        if fate.happens(fate.faults / 4, "a destination's answer was lost"):
            return Failed(blame=Blame.DESTINATION, code="timeout", error="No answer.")
        return Delivered(http_status=200)

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:  # noqa: ARG002 - the interface names it
        """See Sender."""
        return Parcel(target="nowhere", method="POST", headers=(), body=job.body)

    async def aclose(self) -> None:
        """See Sender."""


class SimPoster:
    """A web application that posts to one way in, and again where it got no 2xx, a few times."""

    def __init__(self, fate: Fate, ledger: Ledger, client: httpx.AsyncClient, url: str) -> None:
        self._fate = fate
        self._ledger = ledger
        self._client = client
        self._url = url

    async def post(self, number: int, *, forged: bool, way: str) -> None:
        """Post a webhook that holds its number."""
        NUMBER.set(number)
        body = b"%d" % number
        headers = github(body, f"d{number}", **({"secret": "somebody else's"} if forged else {}))
        for _ in range(self._fate.number(1, 4)):
            try:
                answer = await self._client.post(self._url, content=body, headers=headers)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                self._ledger.accepted[number].add(way)
                if self._fate.calm or self._fate.number(1, 8) > 1:
                    return  # else it posts once more, as one whose own record was lost
            await asyncio.sleep(self._fate.span(0.5, 20))

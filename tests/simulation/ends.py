"""Both ends: who posts and believes a 2xx alone, and what destinations got."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import httpx

from tests.simulation.fate import Fate
from tests.simulation.loop import NODE
from tests.simulation.wire import NUMBER
from tests.whole.senders import github
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.sender import Parcel

ORDERS, STOCK, INVOICES = "orders", "stock", "invoices"  # touchpoints: one wants all, one pushes alone, one is on hold
WANTED, UNWANTED = "push", "issues"  # types of events


@dataclass(frozen=True, slots=True)
class Post:
    """A webhook, posted once or more often; its body is its number, its sender's id is made of it."""

    number: int
    way: str  # direct | proxy
    touchpoint: str
    type: str
    forged: bool  # with a signature of somebody else

    @property
    def filtered(self) -> bool:
        """Whether it is kept and never run, because nobody wants its type."""
        return self.touchpoint == STOCK and self.type == UNWANTED

    @property
    def on_hold(self) -> bool:
        """Whether it waits for a person to let it go."""
        return self.touchpoint == INVOICES


@dataclass(slots=True)
class Ledger:
    """What was promised, and what was executed."""

    posts: dict[int, Post] = field(default_factory=dict)  # by number
    accepted: Counter[int] = field(default_factory=Counter)  # by number: how often it was answered 2xx
    runs: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))  # (agent, event id)
    at_proxy: dict[str, int] = field(default_factory=dict)  # event id: number
    released: bool = False  # whether a person let go what was on hold

    def runnable(self, post: Post) -> bool:
        """Whether it may be executed by now."""
        return not (post.forged or post.filtered or (post.on_hold and not self.released))

    @property
    def missing(self) -> set[int]:
        """Promised, to be executed, and not executed so far."""
        return {number for number in self.accepted if self.runnable(self.posts[number])} - self.runs.keys()


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

    async def post(self, post: Post) -> None:
        """Post a webhook."""
        self._ledger.posts[post.number] = post
        NUMBER.set(post.number)
        body = b"%d" % post.number
        secret = {"secret": "somebody else's"} if post.forged else {}
        headers = github(body, f"d{post.number}", post.type, **secret)
        for _ in range(self._fate.number(1, 4)):
            try:
                answer = await self._client.post(self._url, content=body, headers=headers)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                self._ledger.accepted[post.number] += 1
                if self._fate.calm or self._fate.number(1, 8) > 1:
                    return  # else it posts once more, as one whose own record was lost
            await asyncio.sleep(self._fate.span(0.5, 20))

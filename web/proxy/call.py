"""One call of the pull API: what was asked, by whom, and what is answered."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from store.organisations import Organisation, PairedAgent
from store.queue import Queue
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.pull.body import decode, encode, encode_problem
from touchpoints.pull.proof import RequestProof
from web.listener.body import SenderGone
from web.proxy.held import Held
from web.proxy.hub import Hub

Value = TypeVar("Value")

JSON = (b"content-type", b"application/json")


class NotNow(ProblemError):
    """A call that cannot be answered as asked: its HTTP status, and whole seconds after which trying again helps."""

    def __init__(self, status: int, why: Problem, *, retry_after: int = 0) -> None:
        super().__init__(why)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer before it is signed."""

    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = (JSON,)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call by an agent that proved itself."""

    hub: Hub
    agent: PairedAgent
    proof: RequestProof
    headers: Mapping[str, str]
    held: Held  # memory for the answer
    gone: asyncio.Future[None]  # done when the caller has hung up
    body: bytes = field(repr=False)

    @property
    def organisation(self) -> Organisation:
        """The agent's organisation. Raises NotNow(410) when it was removed meanwhile."""
        found = self.hub.directory().organisations.get(self.agent.organisation)
        if found is None:
            raise NotNow(410, problem("organisation_gone"))
        return found

    @property
    def queue(self) -> Queue:
        """Raises NotNow(503) while the queue cannot be used."""
        queue = self.hub.queue()
        if queue is None:
            raise NotNow(503, problem("proxy_store_down"), retry_after=30)
        return queue

    def check(self) -> None:
        """Raise NotNow(403) where the agent was revoked while it waited, and SenderGone where it hung up."""
        if self.gone.done():
            raise SenderGone
        now = self.hub.agent(self.agent.id)
        if now is None or now.state == "revoked":
            raise NotNow(403, problem("agent_revoked", agent=self.agent.name))

    def ready(self) -> PairedAgent:
        """The agent, which has the organisation's key. Raises NotNow(403) while it waits for that."""
        if self.agent.state != "ready":
            raise NotNow(403, problem("agent_waits"))
        return self.agent

    def read(self, kind: type[Value]) -> Value:
        """The body as a value. Raises PullMalformed."""
        return decode(kind, self.body)


def answer(value: object, *, status: int = 200) -> Outcome:
    """A value as the answer."""
    return Outcome(status=status, body=encode(value))


def failure(status: int, why: Problem, *, retry_after: int = 0) -> Outcome:
    """A problem as the answer."""
    headers = (JSON, (b"retry-after", str(retry_after).encode())) if retry_after else (JSON,)
    return Outcome(status=status, headers=headers, body=encode_problem(why))

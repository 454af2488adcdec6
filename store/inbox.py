"""The inbox: events accepted and not yet planned. The same three words for every hop: take, put, settle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from touchpoints.event import Arrival, Event
from touchpoints.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that waits in the inbox."""

    seq: int  # the inbox's own number, in order of receipt
    event: Event


class StoreUnavailable(Exception):
    """The place could not commit (disk full, file broken, closing, at its size limit); nothing is known to be stored.

    `code` is a problem code; `retry_after` is what to tell a sender, in whole seconds. `why` has words that need values.
    """

    def __init__(self, code: str, retry_after: int = 30, *, why: Problem | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.why = why


class Inbox(Protocol):
    """A durable queue of accepted events."""

    async def put(self, arrival: Arrival) -> None:
        """Store an event and its body.

        - Returns only after the commit is on disk; concurrent puts share one commit.
        - Idempotent by event id: a second put of the same id changes nothing and returns.
        - An event whose verdict is `accepted` also waits in the inbox; any other is only kept for the log.
        - A caller that goes away does not cancel the commit.
        - Raises StoreUnavailable when it could not commit.
        """

    async def take(self, *, limit: int, after: int = 0) -> Sequence[Waiting]:
        """Up to `limit` waiting events with `seq > after`, in order of receipt. Takes nothing away: planning settles them."""

    async def body(self, seq: int) -> bytes:
        """The body of a waiting event, whole."""

    async def waiting(self) -> int:
        """How many events wait."""

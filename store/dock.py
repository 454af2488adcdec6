"""The dock: where an agent keeps events it pulled from a proxy until the proxy accepted the acknowledgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from touchpoints.event import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """One pulled event: verified or refused here, and not yet ours alone."""

    seq: int  # the proxy's number
    arrival: Arrival  # event.id is the proxy's id


@dataclass(frozen=True, slots=True, kw_only=True)
class Berth:
    """One lease of one proxy: what was stored under it."""

    proxy: str  # the pairing's id: organisation and proxy
    incarnation: str
    epoch: int
    stored: int  # the highest seq stored under it
    last_id: str  # the event's of that seq
    waiting: int  # how many events are stored and not yet released


class Dock(Protocol):
    """Events between put and settled acknowledgement. Survives every crash; raises StoreUnavailable."""

    async def put(self, proxy: str, incarnation: str, epoch: int, landed: Sequence[Landed]) -> None:
        """Store events with their bodies in one transaction, where nothing plans them yet. Returns after the commit.

        Idempotent by event id: one that is stored already, in whatever epoch, is moved to this berth while it is not released,
        and left alone when it is.
        """

    async def release(self, proxy: str, incarnation: str, epoch: int, *, to: int) -> int:
        """The proxy accepted the acknowledgement up to `to`: those events enter the inbox in order; how many. Idempotent.

        A refused event does not enter the inbox: it is kept and counted as refused.
        """

    async def drop(self, proxy: str, incarnation: str, epoch: int) -> int:
        """The lease is lost, and what was acknowledged is released: forget the rest of this berth, as if never stored."""

    async def berths(self) -> Sequence[Berth]:
        """Every lease with events that are not released: what a restarted agent must acknowledge before it pulls."""

    async def seen(self, proxy: str, incarnation: str) -> tuple[int, str]:
        """The highest seq ever stored of an incarnation, and the id of its event; 0 and none: nothing was."""

    async def incarnation(self, proxy: str) -> str:
        """The incarnation of a proxy that something was last stored of; empty: never."""

    async def settled(self, proxy: str, incarnation: str) -> tuple[int, int]:
        """(seq up to which every released event is settled, how many released ones are not). Cheap: goes on from the last
        call."""

    async def lacking(self) -> Mapping[int, int]:
        """How many events are kept refused for want of their touchpoint, by touchpoint."""

    async def adopt(self, old: int, new: int) -> int:
        """Let the events that are kept refused for want of touchpoint `old` be of `new`, in lists and counts too; how many.

        They stay refused until somebody verifies them. Idempotent; a crash leaves some moved, and the next call the rest.
        """

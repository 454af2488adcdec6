"""Room: which connections give way when there are as many as there may be, or when what they hold is too much."""

import heapq
from collections.abc import Collection
from typing import Final

from web.listener.connection import Phase
from web.listener.protocol import GuardedProtocol

UNFINISHED: Final = 64 * 1024 * 1024  # bytes that all requests that are not whole may hold together
FAIR = 16 * 1024  # bytes a second at which a body uses up nothing of its time
BUSY = -1.0

_PART = 16  # one look finds the next to go out of so many: with each newcomer one look would be most of what a flood costs
_BLAMED = 0.1  # of its time: a second of a head, or that a body is behind
_FRESH = 1.0  # seconds that a look is good for
_PAUSE = 0.05  # seconds without a look after one that found nobody
_WHOLE = 64 * 1024  # from here on a body has claimed its bytes (web.listener.body)
_HEADER = 128  # bytes of memory beside those of a header's name and value


class Room:
    """Chooses among the connections of a listener."""

    def __init__(self, connections: Collection[GuardedProtocol]) -> None:
        """`connections` are those of now, whenever it is asked."""
        self._connections = connections
        self._next: list[tuple[float, GuardedProtocol]] = []  # the first to go last
        self._looked_at = 0.0
        self._found_nobody = False

    def next_to_go(self, now: float) -> GuardedProtocol | None:
        """The one that has used up most of its time, or nearly; None where something is done for each."""
        while self._next and now - self._looked_at < _FRESH:
            before, one = self._next.pop()
            if one in self._connections and spent(one, now) >= before:
                return one
        if self._found_nobody and now - self._looked_at < _PAUSE:
            return None
        looked = ((spent(one, now), one) for one in self._connections)
        found = heapq.nlargest(max(1, len(self._connections) // _PART), looked, key=_share)
        self._next = [entry for entry in reversed(found) if entry[0] >= 0]
        self._looked_at, self._found_nobody = now, not self._next
        return self._next.pop()[1] if self._next else None

    def too_much(self) -> list[GuardedProtocol]:
        """Those that hold most, where all together hold more than they may."""
        holding = [(held(one), one) for one in self._connections]
        over = sum(bytes_ for bytes_, _ in holding) - UNFINISHED
        found: list[GuardedProtocol] = []
        if over > 0:
            for bytes_, one in sorted(holding, key=_share, reverse=True):
                if over <= 0:
                    break
                found.append(one)
                over -= bytes_
        return found


def spent(one: GuardedProtocol, now: float) -> float:
    """The share of its time that a connection has used up; BUSY where it waits for us.

    Silent ones and slow heads go by the deadline of a head, slow bodies by their grace. Who was answered before and rests has
    six times as long: senders that keep their connections outlast strangers that only came.
    """
    deadlines = one.deadlines
    if one.transport is None:
        return (now - one.since) / deadlines.handshake
    if one.flow.write_paused:
        return one.stalled / deadlines.write
    if one.phase is Phase.LINGER:
        return BUSY if one.unanswered else 1 - (one.due - now) / deadlines.linger
    if one.phase is Phase.BODY:
        if one.flow.read_paused or one.unanswered > 1:
            return BUSY
        return (now - one.body_since - one.raw_bytes / FAIR) / deadlines.grace
    if one.unanswered:
        return BUSY
    rests = one.phase is Phase.REST and one.cycle is not None
    return (now - one.since) / (deadlines.idle if rests else deadlines.head)


def dawdles(one: GuardedProtocol, now: float) -> bool:
    """Whether it kept us waiting for a request for long enough to blame its sender."""
    asks = one.phase in {Phase.HEAD, Phase.BODY} or (one.phase is Phase.REST and one.cycle is None)
    return asks and spent(one, now) >= _BLAMED


def held(one: GuardedProtocol) -> int:
    """About how many bytes of memory a request takes that is not whole; without those that its body has claimed."""
    if one.phase is Phase.HEAD:
        return one.first_bytes + one.head_bytes + _HEADER * len(one.headers)
    if one.phase is Phase.BODY:
        head = sum(len(name) + len(value) + _HEADER for name, value in one.scope["headers"])
        return head + (one.body_bytes if one.body_bytes <= _WHOLE else 0)
    return 0


def _share(entry: tuple[float, GuardedProtocol]) -> float:
    return entry[0]

"""How pulling stands: what a person is shown of the way to the proxy."""

from dataclasses import replace

from store.inbox import StoreUnavailable
from store.remote_errors import NotAuthorized, RemoteError, Revoked
from touchpoints.moment import Micros
from touchpoints.problem import Problem
from touchpoints.pull.message import Backlog, Batch


class PullStanding:
    """Changed by the pull, read by the path.

    `state`: off, connecting, connected, standby, paused, down, revoked.
    """

    def __init__(self) -> None:
        self.state = "connecting"
        self.problem: Problem | None = None  # why it is down or revoked
        self.paused = ""  # problem code of why nothing is taken in
        self.last_poll_at: Micros | None = None
        self.backlog = Backlog()
        self.holder = ""  # the agent that holds the lease, where it is another
        self.notices: tuple[str, ...] = ()
        self.gap: tuple[int, int] | None = None
        self.behind: tuple[int, int] | None = None  # (last number stored here, the proxy's position), where it is further
        self.proxy_restored = False  # until a person has seen it, or what the proxy lost is no matter any more

    def answered(self, batch: Batch, *, paused: str, now: Micros) -> None:
        """The proxy answered a pull."""
        self.state = ("paused" if paused else "connected") if batch.epoch else "standby"
        self.problem = None
        self.paused = paused
        self.last_poll_at = now
        self.backlog = _beyond(batch, paused)
        self.holder = batch.holder
        self.notices = batch.notices
        if self.gap is not None and batch.gap is None:
            self.proxy_restored = False
        self.gap = batch.gap

    def leased(self, *, seen: int, acknowledged: int) -> None:
        """A new lease began."""
        self.behind = (seen, acknowledged) if acknowledged > seen else None

    def failed(self, error: Exception) -> None:
        """A session ended; it is tried again."""
        if isinstance(error, StoreUnavailable):
            self.state, self.paused = "paused", error.code
        elif isinstance(error, RemoteError):
            self.state = "revoked" if isinstance(error, Revoked) else "down"
            self.problem = error.problem
            if isinstance(error, NotAuthorized):
                self.holder = ""


def _beyond(batch: Batch, paused: str) -> Backlog:
    """What waits there and is not here yet: the next answer may be half a minute away.

    What the proxy counts as waiting is what it has no acknowledgement for; the holder has all of that when no more is to come.
    """
    if not batch.epoch or paused:
        return batch.backlog
    events = batch.backlog.events - len(batch.messages)
    if not batch.more or events <= 0:
        return Backlog()
    size = sum(len(one.data) for one in batch.messages)
    return replace(batch.backlog, events=events, bytes=max(0, batch.backlog.bytes - size))

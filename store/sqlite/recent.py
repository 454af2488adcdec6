"""What was put lately and still waits, in memory, so that planning need not read it back from the file."""

from collections.abc import Iterable, Sequence
from itertools import islice

from store.inbox import Waiting

MOST = 2_048  # events kept


class Recent:
    """Knows all that waits in the inbox, or that it doesn't: then the table says, and may make it whole again.

    Changed in the loop only, once what changed is on disk.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}  # by number, in order
        self._whole = False
        self._forgot = 0

    @property
    def version(self) -> int:
        """Changes whenever something was forgotten."""
        return self._forgot

    def forget(self) -> None:
        """Something may wait that this does not know of."""
        self._waiting = {}
        self._whole = False
        self._forgot += 1

    def add(self, waiting: Iterable[Waiting]) -> None:
        """Events that were put, in order of receipt."""
        for one in waiting:
            self._waiting[one.seq] = one
        if len(self._waiting) > MOST:
            self.forget()

    def remove(self, seqs: Iterable[int]) -> None:
        """Events that wait no longer."""
        for seq in seqs:
            self._waiting.pop(seq, None)

    def take(self, limit: int, after: int) -> list[Waiting] | None:
        """See Inbox.take; None when the table must be asked."""
        if not self._whole:
            return None
        return list(islice((one for one in self._waiting.values() if one.seq > after), limit))

    def learn(self, waiting: Sequence[Waiting], version: int) -> None:
        """All that waited when `version` was seen or later, as the table says."""
        if version == self._forgot and len(waiting) <= MOST:
            known = {one.seq: one for one in waiting} | self._waiting
            self._waiting = dict(sorted(known.items()))
            self._whole = True

"""The budget: bytes of bodies held in memory, one for the whole process, shared by listener and deliveries."""

import asyncio
from collections import deque
from dataclasses import dataclass

SMALL = 256 * 1024  # up to here a claim counts as small; what a delivery claims is
WAITING = 64  # more than this many waiters of a size are turned away at once


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    n: int
    turn: asyncio.Future[None]


class Budget:
    """At most `limit` bytes are out at any time.

    Large claims together leave an eighth to small ones, so that a few large and slow bodies never starve the ordinary
    webhook; a large one that needs more than that gets it when it is the only large one. Each size waits in its own line,
    first come first served.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.peak = 0
        self._large = 0
        self._small_waiting: deque[_Claim] = deque()
        self._large_waiting: deque[_Claim] = deque()

    def try_take(self, n: int) -> bool:
        """Take `n` bytes if they are free now and nobody waits for the like."""
        if (n and self._line(n)) or not self._fits(n):
            return False
        self._take(n)
        return True

    async def take(self, n: int, seconds: float) -> bool:
        """Take `n` bytes, waiting up to `seconds` for them; whether they were had."""
        if self.try_take(n):
            return True
        line = self._line(n)
        if n > self.limit or len(line) >= WAITING:
            return False
        claim = _Claim(n, asyncio.get_running_loop().create_future())
        line.append(claim)
        try:
            await asyncio.wait((claim.turn,), timeout=seconds)
        except asyncio.CancelledError:
            self._withdraw(line, claim)
            raise
        if claim.turn.done():
            return True
        self._withdraw(line, claim)
        return False

    def give(self, n: int) -> None:
        """Give back a claim of `n` bytes, as it was taken."""
        self.lower(n, 0)

    def lower(self, n: int, to: int) -> None:
        """Give back a part of a claim of `n` bytes; `to` of it stay taken, whoever waits."""
        self.used -= n - to
        if n > SMALL:
            self._large -= n - (to if to > SMALL else 0)
        self._serve()

    def resize(self, limit: int) -> None:
        """Another limit; claims that are out stay."""
        self.limit = limit
        self._serve()

    def _line(self, n: int) -> deque[_Claim]:
        return self._small_waiting if n <= SMALL else self._large_waiting

    def _fits(self, n: int) -> bool:
        if self.used + n > self.limit:
            return False
        return n <= SMALL or self._large == 0 or self._large + n <= self.limit - self.limit // 8

    def _take(self, n: int) -> None:
        self.used += n
        if n > SMALL:
            self._large += n
        self.peak = max(self.peak, self.used)

    def _serve(self) -> None:
        for line in (self._small_waiting, self._large_waiting):
            while line and self._fits(line[0].n):
                claim = line.popleft()
                self._take(claim.n)
                claim.turn.set_result(None)

    def _withdraw(self, line: deque[_Claim], claim: _Claim) -> None:
        if claim.turn.done():
            self.give(claim.n)
        else:
            line.remove(claim)
            self._serve()

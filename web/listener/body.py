"""The body of a request, read whole and within the budget."""

from litestar.types import Receive

from touchpoints.event import Headers
from web.listener.budget import SMALL, Budget

WHOLE = 64 * 1024  # up to here a body claims when it is whole
STEP = 1024 * 1024  # what a body of unknown length claims at a time once it is not small any more


class SenderGone(Exception):
    """The sender went away before its body was whole; nothing of it counts."""


class TooLarge(Exception):
    """The body is over the limit."""


class NoRoom(Exception):
    """The budget had no room in time."""


class BodyReader:
    """Reads one body; holds its part of the budget until `release`."""

    __slots__ = ("_budget", "_claims", "_patience")

    def __init__(self, budget: Budget, patience: float) -> None:
        self._budget = budget
        self._patience = patience
        self._claims: list[int] = []

    async def read(self, headers: Headers, receive: Receive, limit: int) -> bytes:
        """The whole body. Raises TooLarge (before reading to the end), NoRoom or SenderGone.

        A declared length is claimed before the first byte is read, so that two half-read bodies never wait for each other;
        one of unknown length claims step by step, and gives up when a step is not had in time. A short one claims when it is
        whole, and goes on without where nothing is left: else a stranger's few hundred unfinished ones would shut out all
        others. The ceilings of the crowd bound them.
        """
        for name, value in headers:
            if name == b"content-length":
                return await self._declared(int(value), receive, limit)
            if name == b"transfer-encoding":
                return await self._chunked(receive, limit)
        return b""

    def release(self) -> None:
        """Give back what was claimed."""
        for claim in self._claims:
            self._budget.give(claim)
        self._claims.clear()

    async def _claim(self, n: int) -> None:
        n = max(n, SMALL + 1)  # as a large one, so that unfinished bodies leave to deliveries what is kept for small claims
        if not (self._budget.try_take(n) or await self._budget.take(n, self._patience)):
            raise NoRoom
        self._claims.append(n)

    def _claim_whole(self, n: int) -> None:
        if n <= WHOLE and self._budget.try_take(n):
            self._claims.append(n)

    async def _declared(self, length: int, receive: Receive, limit: int) -> bytes:
        if length > limit:
            raise TooLarge
        if length > WHOLE:
            await self._claim(length)
        part, more = await _next(receive)
        if more:
            parts = [part]
            while more:
                part, more = await _next(receive)
                parts.append(part)
            part = b"".join(parts)
        self._claim_whole(length)
        return part

    async def _chunked(self, receive: Receive, limit: int) -> bytes:
        parts: list[bytes] = []
        size = claimed = 0
        more = True
        while more:
            part, more = await _next(receive)
            size += len(part)
            if size > limit:
                raise TooLarge
            while WHOLE < size > claimed:
                await self._claim(STEP)
                claimed += STEP
            parts.append(part)
        self._claim_whole(size)
        return b"".join(parts)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise SenderGone
    return message.get("body", b""), message.get("more_body", False)

"""Both ends of the way: senders that keep what they were promised, and a destination that keeps what it got."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

import httpx

from tests.chaos.found import Found
from tests.whole.senders import github

LARGE_EVERY = 61  # each so many-th event is large enough to take the large one's way everywhere
BIG_FROM = 500_000_000  # from here on one is of 2 MiB
BIG = 2 * 1024 * 1024
HUGE_FROM = 1_000_000_000  # an event of this number or a higher one is as large as one may be
HUGE = 25 * 1024 * 1024 - 64
QUIET = 0.25  # seconds in which a late repeat would come


def body_of(number: int) -> bytes:
    """An event's body, which names it."""
    return b'{"n": %d, "pad": "%s"}' % (number, b"x" * _size(number))


def _size(number: int) -> int:
    if number >= HUGE_FROM:
        return HUGE
    if number >= BIG_FROM:
        return BIG
    return 300_000 if number % LARGE_EVERY == 0 else number * 37 % 700


def number_of(body: bytes) -> int:
    """The number in a body, -1 for one that nobody sent so."""
    with suppress(ValueError):
        number = int(body[6 : body.index(b",")])
        return number if body_of(number) == body else -1
    return -1


class Ledger:
    """What was promised and what was executed."""

    def __init__(self) -> None:
        self.accepted: set[int] = set()
        self.refused: Counter[int] = Counter()  # by status; 0: no answer
        self.runs: dict[int, list[str]] = {}  # by number: the event ids it ran under
        self.foreign: list[bytes] = []
        self.by_two_ways = False  # a number may have come as two events
        self._numbers = itertools.count(1)
        self._came = asyncio.Event()

    def take(self) -> int:
        """A number for a new event."""
        return next(self._numbers)

    def ran(self, body: bytes, event_id: str) -> None:
        """The destination got something."""
        number = number_of(body)
        if number < 0:
            self.foreign.append(body)
        self.runs.setdefault(number, []).append(event_id)
        self._came.set()

    @property
    def missing(self) -> set[int]:
        """What was promised and not executed so far."""
        return self.accepted - self.runs.keys()

    @property
    def repeats(self) -> int:
        """How many executions were one too many."""
        return sum(len(ids) - 1 for ids in self.runs.values())

    async def arrived(self, *, seconds: float = 30.0, of: Iterable[int] | None = None) -> bool:
        """Wait until everything promised, or `of` it, was executed; whether it was."""
        wanted = None if of is None else set(of)
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while (wanted - self.runs.keys()) if wanted is not None else self.missing:
            left = ends - loop.time()
            if left <= 0:
                return False
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, 0.2)):
                    await self._came.wait()
        return True

    async def judge(
        self, *, waiting: Callable[[], Awaitable[int]] | None = None, excused: bool = False, seconds: float = 30.0
    ) -> Found:
        """What came of it all, once nothing new has arrived for so many `seconds`.

        `waiting` counts what still lies somewhere; `excused`: a repeat is one that is allowed.
        """
        left, whole = len(self.missing) + 1, False
        while not whole and len(self.missing) < left:  # what is only slow is not lost
            left, whole = len(self.missing), await self.arrived(seconds=seconds)
        await asyncio.sleep(QUIET)
        found = Found(tried=len(self.accepted))
        if not whole:
            still = min(len(self.missing), await waiting()) if waiting else 0
            found.stuck, found.lost = still, len(self.missing) - still
            found.notes.append(f"missing: {sorted(self.missing)[:20]}")
        if excused:
            found.repeated = self.repeats
        elif self.repeats:
            found.admitted += self.repeats
            found.notes.append(f"repeated: {[(n, len(ids)) for n, ids in self.runs.items() if len(ids) > 1][:20]}")
        for number, ids in self.runs.items():
            found.must(self.by_two_ways or len(set(ids)) == 1, f"event {number} ran under two ids")
        found.must(not self.foreign, "a body that nobody sent")
        return found


class Sink:
    """A destination on loopback."""

    def __init__(self, ledger: Ledger, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/in"
        self.delay = 0.0
        self._ledger = ledger

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer 200 to each request of a connection, once it is written down."""
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                if self.delay:
                    await asyncio.sleep(self.delay)
                self._ledger.ran(body, fields.get("hookport-event", ""))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


@asynccontextmanager
async def open_sink(ledger: Ledger) -> AsyncIterator[Sink]:
    """A destination that writes into a ledger."""
    held: list[Sink] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held[0].serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    held.append(Sink(ledger, server.sockets[0].getsockname()[1]))
    try:
        yield held[0]
    finally:
        server.close()


class Sender:
    """A web application: posts numbered, signed events and believes a 2xx alone. It never sends one twice."""

    def __init__(self, ledger: Ledger, url: Callable[[], str], client: httpx.AsyncClient) -> None:
        self._ledger = ledger
        self._url = url
        self._client = client

    async def post(self, count: int = 1) -> list[int]:
        """Post so many; the numbers of those that were accepted."""
        return [number for number in [self._ledger.take() for _ in range(count)] if await self.send(number)]

    async def send(self, number: int, *, delivery: str = "") -> bool:
        """Post this one; whether it was accepted."""
        body = body_of(number)
        try:
            answer = await self._client.post(self._url(), content=body, headers=github(body, delivery or f"d{number}"))
        except httpx.HTTPError:
            self._ledger.refused[0] += 1
            return False
        if not answer.is_success:
            self._ledger.refused[answer.status_code] += 1
            return False
        self._ledger.accepted.add(number)
        return True

    async def keep_posting(self, *, pause: float = 0.005) -> None:
        """Post one after the other, until cancelled."""
        while True:
            await self.post()
            await asyncio.sleep(pause)

    async def insist(self, count: int, *, pause: float = 0.02) -> list[int]:
        """Post until so many were accepted."""
        done: list[int] = []
        while len(done) < count:
            if accepted := await self.post():
                done += accepted
            else:
                await asyncio.sleep(pause)
        return done


@asynccontextmanager
async def traffic(*senders: Sender, pause: float = 0.005) -> AsyncIterator[None]:
    """Senders post while the block runs."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.keep_posting(pause=pause)) for one in senders]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

"""A device between agent and proxy that takes HTTP apart: it cuts, delays, doubles, keeps back, alters and replays."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


class Cut(Exception):
    """The connection is to end here."""


@dataclass(slots=True)
class Exchange:
    """One request, and what may be done with it."""

    number: int  # since the fault was set, from 1
    path: str
    request: bytes  # whole, as it came
    _box: "Middlebox"
    _client: asyncio.StreamWriter = field(repr=False)

    async def forward(self, request: bytes | None = None) -> bytes:
        """Have the proxy answer; the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._box.upstream, limit=2**20)
        try:
            writer.write(self.request if request is None else request)
            await writer.drain()
            return await read_message(reader)
        except (asyncio.IncompleteReadError, OSError):
            raise Cut from None
        finally:
            writer.close()

    def forward_later(self, seconds: float) -> None:
        """Let the request reach the proxy when nobody waits for its answer any more."""

        async def late() -> None:
            await asyncio.sleep(seconds)
            with suppress(Cut):
                await self.forward()

        task = asyncio.ensure_future(late())
        self._box.late.add(task)
        task.add_done_callback(self._box.late.discard)

    async def half_a_request(self) -> None:
        """Let the proxy see the beginning alone."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._box.upstream)
        writer.write(self.request[: len(self.request) * 2 // 3])
        await writer.drain()
        writer.close()

    async def give(self, data: bytes) -> None:
        """Hand the agent these bytes, where it still hears."""
        if self._client in self._box._deaf:
            await asyncio.Event().wait()
        self._client.write(data)
        await self._client.drain()


Fault = Callable[[Exchange], Awaitable[None]]


async def passed(exchange: Exchange) -> None:
    """As if there were no device."""
    await exchange.give(await exchange.forward())


class Middlebox:
    """Listens on loopback. `fault` is asked for each request; `idle`: how long it bears a quiet connection."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.fault: Fault = passed
        self.forgotten = 0  # connections that were quiet for too long
        self.idle = 0.0  # seconds after which a quiet connection is forgotten; 0: never
        self.seen: list[str] = []
        self.late: set[asyncio.Task[None]] = set()  # requests that are still to reach the proxy
        self._open: set[asyncio.StreamWriter] = set()
        self._deaf: set[asyncio.StreamWriter] = set()
        self._number = 0

    def set(self, fault: Fault = passed) -> None:
        """Do this from now on; numbers begin at 1 again."""
        self.fault, self._number = fault, 0

    def hang_up(self) -> None:
        """Every connection ends now."""
        for writer in self._open:
            writer.close()

    def deafen(self) -> int:
        """Forget every connection without a word: neither side hears of the other again; how many that were."""
        self._deaf |= self._open
        return len(self._open)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the agent."""
        self._open.add(writer)
        try:
            with suppress(Cut, asyncio.IncompleteReadError, OSError, TimeoutError):
                while True:
                    await self._one(reader, writer)
        finally:
            self._open.discard(writer)
            self._deaf.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_message(reader)
        self._number += 1
        path = request.split(b" ", 2)[1].decode("latin-1")
        self.seen.append(path)
        exchange = Exchange(self._number, path, request, self, writer)
        work = asyncio.ensure_future(self.fault(exchange))
        gone = asyncio.ensure_future(reader.read(1))  # a client waits for its answer: what comes now is its goodbye
        try:
            done, _ = await asyncio.wait((work, gone), timeout=self.idle or None, return_when=asyncio.FIRST_COMPLETED)
            self.forgotten += not done
            if not work.done():
                raise Cut  # it hung up, or nothing moved for too long
            work.result()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP message with a length. Raises asyncio.IncompleteReadError."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
        assert not line.startswith(b"transfer-encoding:"), "the pull API gives lengths"
    return head + await reader.readexactly(length)


@asynccontextmanager
async def open_middlebox(upstream: int) -> AsyncIterator[Middlebox]:
    """A device before a port of loopback."""
    box = Middlebox(upstream)
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0, limit=2**20)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await asyncio.gather(*box.late)

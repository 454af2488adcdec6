"""An HTTP destination made of raw sockets, so that a test sees the very bytes and can answer anything at all."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True)
class RawServer:
    """What came in, and what is answered."""

    port: int = 0
    answer: Answer
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    running: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def lines(self) -> list[bytes]:
        """The header lines of the last request."""
        return self.heads[-1].split(b"\r\n")[1:]

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header of the last request."""
        pairs = [line.split(b": ", 1) for line in self.lines()]
        return [value for found, value in pairs if found.lower() == name.lower()]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while not writer.is_closing():
                    self.heads.append((await reader.readuntil(b"\r\n\r\n"))[:-4])
                    length = int((self.values(b"content-length") or [b"0"])[0])
                    self.bodies.append(await reader.readexactly(length))
                    await self.answer(writer)
                    await writer.drain()
        finally:
            self.running.discard(task)
            writer.close()


def says(answer: bytes) -> Answer:
    """Answers these bytes and keeps the connection."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return say


def status(line: str, *headers: str, body: str = "") -> Answer:
    """A well-formed answer."""
    head = "\r\n".join([f"HTTP/1.1 {line}", f"Content-Length: {len(body.encode())}", *headers, "", ""])
    return says(head.encode() + body.encode())


def closes_after(answer: bytes) -> Answer:
    """Answers these bytes and closes."""

    async def close(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    return close


async def hangs(_writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def drips(writer: asyncio.StreamWriter) -> None:
    """Answers, but a byte at a time and without end: no single read takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A destination on loopback."""
    server = RawServer(answer=answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls, limit=2**20)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        running = list(server.running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

"""Millions of events kept count of in little memory: who posts them at a pace, and a destination that marks each."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.whole.senders import github

MOST = 1 << 24  # events of one run
_PAD = b"x" * 900


def body_of(number: int, sent: int) -> bytes:
    """An event's body; `sent` is the machine's monotonic clock in ns."""
    return b'{"n": %d, "sent": %d, "pad": "%s"}' % (number, sent, _PAD)


class Marks:
    """What was promised and what came: a byte an event."""

    def __init__(self) -> None:
        self.accepted_count = 0
        self.repeats = 0
        self.foreign = 0
        self._accepted = bytearray(MOST)
        self._came = bytearray(MOST)
        self._next = 0
        self._latencies: list[float] = []

    def take(self) -> int:
        """A number for a new event."""
        self._next += 1
        assert self._next < MOST, "more events than are kept count of"
        return self._next

    def accepted(self, number: int) -> None:
        """A sender was promised it."""
        self._accepted[number] = 1
        self.accepted_count += 1

    def ran(self, body: bytes) -> None:
        """The destination got something."""
        try:
            number, sent = (int(part.rpartition(b" ")[2]) for part in body.split(b",", 2)[:2])
        except ValueError:
            number, sent = 0, 0
        if not 0 < number <= self._next or body_of(number, sent) != body:
            self.foreign += 1
            return
        self.repeats += self._came[number]
        self._came[number] = 1
        self._latencies.append((time.monotonic_ns() - sent) / 1e6)

    def latencies(self) -> Sequence[float]:
        """Milliseconds from the first byte of each to its destination, since this was asked last."""
        found, self._latencies = self._latencies, []
        return found

    def missing(self) -> list[int]:
        """What was promised and has not come."""
        return [n for n in range(1, self._next + 1) if self._accepted[n] and not self._came[n]]

    async def arrived(self, *, seconds: float) -> list[int]:
        """Wait until everything promised came; what has not."""
        ends = time.monotonic() + seconds
        while (left := self.missing()) and time.monotonic() < ends:
            await asyncio.sleep(0.05)
        return left


@asynccontextmanager
async def open_marks(marks: Marks) -> AsyncIterator[str]:
    """A destination that marks; its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or b"0")
                marks.ran(await reader.readexactly(length))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    finally:
        server.close()


class Line:
    """Connections to one URL, kept and used in turn."""

    def __init__(self, url: str, marks: Marks) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        self._marks = marks
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, others: Counter[str]) -> None:
        """Post one; any other answer than 2xx is counted."""
        number, sent = self._marks.take(), time.monotonic_ns()
        body = body_of(number, sent)
        fields = {"host": f"{self._host}:{self._port}", **github(body, f"s{number}"), "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            reader, writer = self._kept() or await asyncio.open_connection(self._host, self._port)
            writer.write(f"POST {self._path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
        except (OSError, EOFError) as error:
            others[type(error).__name__] += 1
            return
        if answer.startswith(b"HTTP/1.1 2"):
            self._marks.accepted(number)
            self._free.append((reader, writer))
        else:
            others[answer[9:12].decode()] += 1
            writer.close()

    def close(self) -> None:
        """Close what is open."""
        for _, writer in self._free:
            writer.close()

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that the listener has not closed meanwhile, since nobody used it."""
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None


class Steady:
    """Posts to all lines in turn, so many a second, without waiting for an answer before the next."""

    def __init__(self, lines: Sequence[Line], *, per_second: float) -> None:
        self.sent = 0
        self.others: Counter[str] = Counter()
        self._lines = lines
        self._per_second = per_second

    async def run(self, seconds: float) -> None:
        """Post for so long. More than a second behind, the machine is too slow: then it is as if that second had not been."""
        start, ends = time.monotonic(), time.monotonic() + seconds
        under_way: set[asyncio.Task[None]] = set()
        while (now := time.monotonic()) < ends:
            due = start + self.sent / self._per_second
            if due > now:
                await asyncio.sleep(due - now)
            elif now - due > 1 or len(under_way) > 200:
                start += now - due
                await asyncio.sleep(0.01)
                continue
            task = asyncio.ensure_future(self._lines[self.sent % len(self._lines)].post(self.others))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            self.sent += 1
        if under_way:
            await asyncio.wait(under_way, timeout=30)

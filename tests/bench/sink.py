"""The sink: a destination that only counts. In a process of its own: `python -m tests.bench.sink PORT`.

GET answers `{count, first_ns, last_ns, latencies_us}` and starts anew; times are the machine's monotonic clock, which all
processes share. A body that begins with `{"sent_ns":N` is timed from N.
"""

import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import dataclass

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
SENT = b'{"sent_ns":'


class Tally:
    """What arrived."""

    def __init__(self) -> None:
        self.count = self.first = self.last = 0
        self.latencies: list[int] = []

    def note(self, start: bytes) -> None:
        """Count one body by its first bytes."""
        self.last = time.monotonic_ns()
        self.first = self.first or self.last
        self.count += 1
        if start.startswith(SENT):
            self.latencies.append((self.last - int(start[len(SENT) :].partition(b",")[0])) // 1000)

    def told(self) -> bytes:
        """Everything as an answer; then it starts anew."""
        found = {"count": self.count, "first_ns": self.first, "last_ns": self.last, "latencies_us": self.latencies}
        content = json.dumps(found).encode()
        self.__init__()  # type: ignore[misc]
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content)


class Connection(asyncio.Protocol):
    """As little HTTP as a well-behaved client needs."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            whole = end + 4 + (int(head[at + 17 :].partition(b"\r\n")[0]) if at >= 0 else 0)
            if len(self._pending) < whole:
                return
            start, self._pending = self._pending[end + 4 : end + 44], self._pending[whole:]
            if head.startswith(b"get "):
                self._transport.write(self._tally.told())
            else:
                self._tally.note(start)
                self._transport.write(ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a sink was given since it was last asked."""

    count: int
    first_ns: int
    last_ns: int
    latencies_us: list[int]

    @property
    def rate(self) -> float:
        """Received a second, from the first to the last."""
        return (self.count - 1) / ((self.last_ns - self.first_ns) / 1e9) if self.count > 1 else 0.0


def ask(port: int) -> Received:
    """Ask the sink on a port, and let it start anew."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return Received(**json.loads(answer.read()))


async def serve(port: int) -> None:
    """Serve until killed."""
    tally = Tally()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(tally), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

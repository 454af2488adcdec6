"""The paced sender: an open loop, which doesn't wait for answers before it sends the next.

`python -m tests.bench.paced URL PER_SECOND SECONDS` prints how many were accepted; with `--json`
`{accepted, p50_ms, p99_ms, others}`: the time to the answer, and every other answer by its status, or what broke. A body begins
with when it was sent.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

from tests.bench.hook import SIZE, body, headers

# Many senders, as in life: from one address so many connections at once, when the machine stands still for half a second, would
# be more than the listener takes (256), and the surplus is answered 503.
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 18)] if sys.platform == "linux" else ["127.0.0.1"]

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    """Posts over connections that it keeps."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        self._free: list[Connection] = []
        self.accepted = 0
        self.others: Counter[str] = Counter()
        self.taken: list[float] = []  # milliseconds to each answer

    async def send(self, number: int) -> None:
        """Post one."""
        try:
            await self._send(number)
        except (OSError, EOFError) as error:
            self.others[type(error).__name__] += 1

    async def _send(self, number: int) -> None:
        reader, writer = self._free.pop() if self._free else await self._connect(number)
        sent = time.monotonic_ns()
        content = body(SIZE, {"sent_ns": sent})
        given = {
            "Host": f"{self._host}:{self._port}",
            **headers(content, f"{sent}-{number}"),
            "Content-Length": str(len(content)),
        }
        lines = [f"POST {self._path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        head = await reader.readuntil(b"\r\n\r\n")
        self.taken.append((time.monotonic_ns() - sent) / 1e6)
        if head.startswith(b"HTTP/1.1 200 "):
            self.accepted += 1
            self._free.append((reader, writer))
        else:
            self.others[head[9:12].decode()] += 1
            writer.close()

    async def _connect(self, number: int) -> Connection:
        return await asyncio.open_connection(self._host, self._port, local_addr=(ADDRESSES[number % len(ADDRESSES)], 0))

    def close(self) -> None:
        """Close what is open."""
        for _, writer in self._free:
            writer.close()


async def pace(url: str, per_second: int, seconds: int) -> Sender:
    """The sender, when every answer has come."""
    sender = Sender(url)
    start = time.monotonic()
    async with asyncio.timeout(seconds + 30), asyncio.TaskGroup() as group:
        for number in range(per_second * seconds):
            await asyncio.sleep(start + number / per_second - time.monotonic())
            group.create_task(sender.send(number))
    sender.close()
    return sender


def as_json(sender: Sender) -> str:
    """What it found."""
    taken = sorted(sender.taken)
    spread = {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[len(taken) * 99 // 100]}
    return json.dumps({"accepted": sender.accepted, **spread, "others": dict(sender.others)})


if __name__ == "__main__":
    done = asyncio.run(pace(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    print(as_json(done) if "--json" in sys.argv else done.accepted)

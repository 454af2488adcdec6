"""The paced sender: an open loop, which doesn't wait for answers before it sends the next.

`python -m tests.bench.paced URL PER_SECOND SECONDS` prints how many were accepted. A body begins with when it was sent.
"""

import asyncio
import sys
import time
from urllib.parse import urlsplit

from tests.bench.hook import SIZE, body, headers

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    """Posts over connections that it keeps."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        self._free: list[Connection] = []
        self.accepted = 0

    async def send(self, number: int) -> None:
        """Post one."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection(self._host, self._port)
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
        self.accepted += head.startswith(b"HTTP/1.1 200 ")
        self._free.append((reader, writer))

    def close(self) -> None:
        """Close what is open."""
        for _, writer in self._free:
            writer.close()


async def pace(url: str, per_second: int, seconds: int) -> int:
    """How many were accepted."""
    sender = Sender(url)
    start = time.monotonic()
    async with asyncio.timeout(seconds + 30), asyncio.TaskGroup() as group:
        for number in range(per_second * seconds):
            await asyncio.sleep(start + number / per_second - time.monotonic())
            group.create_task(sender.send(number))
    sender.close()
    return sender.accepted


if __name__ == "__main__":
    print(asyncio.run(pace(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))

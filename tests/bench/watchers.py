"""Open pages: `python -m tests.bench.watchers PAGE COOKIE COUNT` keeps so many live streams and reads a screen now and then.

Every page holds its stream open and reads what comes; each loads a screen every ten seconds, as people do who look about. It
prints `ready` once every stream has sent something. On SIGTERM it prints `{messages, bytes, reads, wrong}` as JSON and ends.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from urllib.parse import urlsplit

SCREENS = ("/", "/events", "/touchpoints", "/export")
EVERY = 10.0  # seconds between two screens of one page


class Watchers:
    """All of them, in one process."""

    def __init__(self, page: str, cookie: str) -> None:
        parts = urlsplit(page)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"Host: {self._host}:{self._port}\r\nCookie: {cookie}\r\nOrigin: {page}\r\nSec-Fetch-Site: same-origin\r\n"
        self.messages = self.bytes = self.reads = 0
        self.wrong: Counter[str] = Counter()  # answers other than 200, and what broke
        self.open = 0

    async def watch(self) -> None:
        """Keep one stream open."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(f"GET /live HTTP/1.1\r\n{self._head}Accept: text/event-stream\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            self.wrong[f"/live {head[9:12].decode()}"] += 1
            return
        told = False
        while part := await reader.read(65536):
            self.bytes += len(part)
            self.messages += part.count(b"data: ")
            if not told and b"data: " in part:
                told, self.open = True, self.open + 1
        self.wrong["/live ended"] += 1

    async def look(self, number: int, count: int) -> None:
        """Load a screen every ten seconds, over a connection that is kept, as a browser does."""
        await asyncio.sleep(EVERY * number / count)
        reader, writer = await asyncio.open_connection(self._host, self._port)
        while True:
            path = SCREENS[self.reads % len(SCREENS)]
            writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            self.reads += 1
            if not head.startswith(b"http/1.1 200 "):
                self.wrong[f"{path} {head[9:12].decode()}"] += 1
            await asyncio.sleep(EVERY)


async def main(page: str, cookie: str, count: int) -> None:
    """Watch until told to end."""
    watchers = Watchers(page, cookie)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    tasks = [asyncio.create_task(watchers.watch()) for _ in range(count)]
    tasks += [asyncio.create_task(watchers.look(number, count)) for number in range(count)]
    async with asyncio.timeout(60):
        while watchers.open < count and not watchers.wrong:
            await asyncio.sleep(0.05)
    print("ready", flush=True)
    await end.wait()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            watchers.wrong[type(outcome).__name__] += 1
    found = {"messages": watchers.messages, "bytes": watchers.bytes, "reads": watchers.reads, "wrong": dict(watchers.wrong)}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))

"""Strangers who attack a listener: `python -m tests.chaos.strangers PORT PATH KIND… --connections N --per-second N [--one]`.

They come from many addresses of loopback where the system has them, with `--one` from one. Whatever they do is paced: at most
so many connections, requests or portions of 20 KB a second, of all kinds together, so that what they take from the machine
themselves is bounded. They print `ready` once they are there, and when their input ends, one line:
`{opened, requests, open, cpu, answers: {status: count}}`.
"""

import argparse
import asyncio
import gzip
import itertools
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from tests.chaos.smuggled import smuggled

if sys.platform != "win32":
    from appliance.handles_posix import allow_many_handles

HOST = "127.0.0.1"
MANY = [f"127.0.0.{number}" for number in range(2, 251)] if sys.platform == "linux" else [HOST]
ONE = "127.0.0.251" if sys.platform == "linux" else HOST
FLOODING = 64  # connections of a kind that asks rather than waits
AHEAD = 16  # requests sent at once where they are pipelined
DRIPS = 2000  # bytes a second, of all slow connections of a kind together, at most
PORTION = 20_000  # bytes that count as one request
MIB = 1024 * 1024


class Pace:
    """At most so many turns a second."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def turn(self, count: int = 1) -> None:
        """Wait for `count` of them."""
        now = time.monotonic()
        self._next = max(self._next + self._step * count, now)
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Strangers:
    """All who come, in one process."""

    def __init__(self, port: int, path: str, *, connections: int, pace: Pace, addresses: list[str]) -> None:
        self.port, self.path, self.host = port, path, f"{HOST}:{port}"
        self.connections = connections
        self.pace = pace
        self.opened = self.requests = self.open = 0
        self.answers: Counter[str] = Counter()
        self._addresses = itertools.cycle(addresses)

    def head(self, *lines: str, method: str = "POST", path: str = "") -> bytes:
        """A head that names the endpoint."""
        return "\r\n".join((f"{method} {path or self.path} HTTP/1.1", f"Host: {self.host}", *lines, "", "")).encode()

    @contextmanager
    def _socket(self, window: int) -> Iterator[socket.socket]:
        with socket.socket() as sock:
            sock.setblocking(False)
            if window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            sock.bind((next(self._addresses), 0))
            yield sock

    async def again(self, work: Callable[[socket.socket], Awaitable[None]], *, window: int = 0) -> None:
        """Connect, do that work, and begin anew when the other side ends it, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self.pace.turn()
            with suppress(OSError, EOFError), self._socket(window) as sock:
                await loop.sock_connect(sock, (HOST, self.port))
                self.opened += 1
                self.open += 1
                try:
                    await work(sock)
                finally:
                    self.open -= 1

    async def hear(self, sock: socket.socket) -> None:
        """Read what comes, and note each answer. Raises EOFError when the other side has ended."""
        data = await asyncio.get_running_loop().sock_recv(sock, 65536)
        if not data:
            raise EOFError
        for part in data.split(b"HTTP/1.1 ")[1:]:
            self.answers[part[:3].decode("latin-1")] += 1

    async def hear_for(self, sock: socket.socket, seconds: float) -> None:
        """Read what comes within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self.hear(sock)

    async def say(self, sock: socket.socket, data: bytes) -> None:
        """Send, for at most three seconds, since not everything is read."""
        if len(data) > PORTION:
            await self.pace.turn(len(data) // PORTION)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.get_running_loop().sock_sendall(sock, data)

    async def drip(self, sock: socket.socket, first: bytes, each: bytes) -> None:
        """Send a beginning, then ever so little, until the other side ends it."""
        await self.say(sock, first)
        rest = max(1.0, self.connections / DRIPS)
        while each:
            await self.hear_for(sock, rest)
            await asyncio.get_running_loop().sock_sendall(sock, each)
        while True:
            await self.hear(sock)

    async def throw(self, sock: socket.socket, data: bytes, *, seconds: float = 0.5) -> None:
        """One request, whatever it is, and what comes of it."""
        self.requests += 1
        await self.say(sock, data)
        await self.hear_for(sock, seconds)


async def silent(them: Strangers) -> None:
    """Connections that say nothing."""
    await _all(them, them.connections, lambda sock: them.drip(sock, b"", b""))


async def slow_heads(them: Strangers) -> None:
    """Heads of a byte a second."""
    await _all(them, them.connections, lambda sock: them.drip(sock, them.head()[:-2] + b"X: ", b"y"))


async def large_heads(them: Strangers) -> None:
    """Heads of 60 KB that lack their last line, each of as many headers as there may be."""
    head = them.head()[:-2] + b"".join(b"x%d: %s\r\n" % (number, b"y" * 300) for number in range(190))
    await _all(them, them.connections, lambda sock: them.drip(sock, head, b""))


async def slow_bodies(them: Strangers) -> None:
    """Bodies of a byte a second, declared or in chunks."""
    ways = itertools.cycle(
        ((them.head("Content-Length: 60000"), b"x"), (them.head("Transfer-Encoding: chunked"), b"1\r\nx\r\n"))
    )
    await _all(them, them.connections, lambda sock: them.drip(sock, *next(ways)))


async def half_bodies(them: Strangers) -> None:
    """Bodies of which all but the last byte comes at once."""
    whole = them.head("Content-Length: 60000") + b"x" * 59_999
    await _all(them, them.connections, lambda sock: them.drip(sock, whole, b""))


async def pipelined(them: Strangers) -> None:
    """Requests without a proof, many at once on one connection."""
    request = them.head("Content-Length: 2") + b"{}"

    async def flood(sock: socket.socket) -> None:
        while True:
            await them.pace.turn(AHEAD)
            them.requests += AHEAD
            await them.say(sock, request * AHEAD)
            await them.hear(sock)

    await _all(them, FLOODING, flood)


async def smugglers(them: Strangers) -> None:
    """Each ambiguous framing in turn, with a signed event hidden in it."""

    def tricks() -> Iterator[bytes]:
        while True:
            yield from smuggled(them.path, them.host).values()

    one = tricks()
    await _all(them, FLOODING, lambda sock: them.throw(sock, next(one)))


async def oversized(them: Strangers) -> None:
    """Too much of everything."""
    much = itertools.cycle(
        (
            them.head()[:-2] + b"X: " + b"y" * MIB + b"\r\n\r\n",
            them.head()[:-2] + b"".join(b"x-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
            them.head()[:-2] + b"a:b\r\n" * 50_000 + b"\r\n",
            them.head(path="/" + "x" * 100_000),
            them.head(path=f"http://{'x' * 5000}/hooks"),
            them.head("Content-Length: 10000000000") + b"x" * 100_000,
            them.head("Content-Length: 99999999999999999999"),
            them.head("Cookie: " + "=;" * 30_000, "Content-Length: 2") + b"{}",
            them.head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n",
        )
    )
    endless = them.head("Transfer-Encoding: chunked") + (b"100000\r\n" + b"x" * MIB + b"\r\n") * 26
    one = asyncio.create_task(_all(them, 1, lambda sock: them.throw(sock, endless)))
    try:
        await _all(them, FLOODING, lambda sock: them.throw(sock, next(much)))
    finally:
        one.cancel()


async def bombs(them: Strangers) -> None:
    """Bodies that are a thousand times larger once they are decompressed, and lines that ask for that."""
    bomb = gzip.compress(b"\0" * 16 * MIB, 6)
    ways = itertools.cycle(
        (
            them.head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb,
            them.head("Content-Encoding: gzip, gzip, gzip, br, zstd", f"Content-Length: {len(bomb)}") + bomb,
            them.head("Transfer-Encoding: gzip, chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(bomb), bomb),
        )
    )
    await _all(them, FLOODING, lambda sock: them.throw(sock, next(ways)))


async def deaf(them: Strangers) -> None:
    """Connections that ask and ask, and never read an answer."""
    request = them.head("Content-Length: 2") + b"{}"
    loop = asyncio.get_running_loop()

    async def ask(sock: socket.socket) -> None:
        while True:
            await them.pace.turn(AHEAD)
            them.requests += AHEAD
            await loop.sock_sendall(sock, request * AHEAD)

    await _all(them, max(FLOODING, them.connections // 10), ask, window=2048)


KINDS = {
    "silent": silent,
    "slow-heads": slow_heads,
    "large-heads": large_heads,
    "slow-bodies": slow_bodies,
    "half-bodies": half_bodies,
    "pipelined": pipelined,
    "smuggled": smugglers,
    "oversized": oversized,
    "bombs": bombs,
    "deaf": deaf,
}


async def _all(them: Strangers, count: int, work: Callable[[socket.socket], Awaitable[None]], *, window: int = 0) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(them.again(work, window=window))


async def main(arguments: list[str]) -> None:
    """Attack until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("kinds", nargs="+", choices=KINDS)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--per-second", type=float, default=1000)
    parser.add_argument("--one", action="store_true")
    given = parser.parse_args(arguments)
    if sys.platform != "win32":
        allow_many_handles()
    loop, end, pace = asyncio.get_running_loop(), asyncio.Event(), Pace(given.per_second)
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(end.set)), daemon=True).start()
    addresses = [ONE] if given.one else MANY
    each = given.connections // len(given.kinds)
    crews = {kind: Strangers(given.port, given.path, connections=each, pace=pace, addresses=addresses) for kind in given.kinds}
    tasks = [asyncio.create_task(KINDS[kind](them)) for kind, them in crews.items()]
    began = time.monotonic()
    while time.monotonic() < began + 20 and sum(them.opened for them in crews.values()) < _enough(given.kinds, each):
        await asyncio.sleep(0.02)
    print("ready", flush=True)
    await end.wait()
    print(json.dumps(_told(crews)), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _enough(kinds: list[str], each: int) -> int:
    """How many connections they have opened when all have come."""
    few = {"pipelined", "smuggled", "oversized", "bombs", "deaf"}
    return sum(FLOODING if kind in few else each for kind in kinds)


def _told(crews: dict[str, Strangers]) -> dict[str, object]:
    answers: Counter[str] = Counter()
    for them in crews.values():
        answers.update(them.answers)
    return {
        "opened": sum(them.opened for them in crews.values()),
        "requests": sum(them.requests for them in crews.values()),
        "open": sum(them.open for them in crews.values()),
        "cpu": round(time.process_time(), 2),
        "answers": dict(answers.most_common()),
    }


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

"""What the listener's tests share: an inbox in memory, a signed touchpoint, and raw connections."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from store.inbox import StoreUnavailable, Waiting
from store.settings import Limits
from touchpoints.event import Arrival, Event
from touchpoints.moment import Micros
from touchpoints.touchpoint import Touchpoint, Verification
from web.listener.app import make_app
from web.listener.budget import Budget
from web.listener.connection import Deadlines
from web.listener.endpoint import Directory, Endpoint
from web.listener.intake import Intake, Perform, not_performed
from web.listener.judging import NO_KEY_SOURCE, KeySource
from web.listener.proxies import TrustedProxies
from web.listener.server import Listener

SECRET = "correct horse"
SIGNED = Touchpoint(
    id=1,
    name="orders",
    secrets=(SECRET,),
    verification=Verification(signature="header:x-signature", algorithm="sha256", encoding="hex"),
)
OPEN = Touchpoint(id=2, name="open", verification=Verification(scheme="none", allow_unsigned=True))
BRISK = Deadlines(
    head=0.3, idle=0.4, grace=0.2, rate=1000, body=1.0, write=0.5, linger=0.3, parting=0.2, handshake=0.5, sweep=0.05
)
PATIENT = replace(BRISK, head=60, idle=60, grace=60, body=90, handshake=60, write=10)


class Shelf:
    """An inbox in memory."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.trouble: StoreUnavailable | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def put(self, arrival: Arrival) -> None:
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        self.arrivals.append(arrival)

    async def take(self, *, limit: int, after: int = 0) -> Sequence[Waiting]:
        return [Waiting(seq=seq, event=arrival.event) for seq, arrival in enumerate(self.arrivals, 1) if seq > after][:limit]

    async def body(self, seq: int) -> bytes:
        return self.arrivals[seq - 1].body

    async def waiting(self) -> int:
        return len(self.arrivals)

    @property
    def bodies(self) -> list[bytes]:
        return [arrival.body for arrival in self.arrivals]


@dataclass
class Scene:
    """A process around the listener, as values a test may change."""

    shelf: Shelf | None = field(default_factory=Shelf)
    limits: Limits = field(default_factory=Limits)
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    touchpoints: tuple[Touchpoint, ...] = (SIGNED, OPEN)
    budget: Budget = field(default_factory=lambda: Budget(Limits().buffers))
    perform: Perform = not_performed
    published: KeySource = NO_KEY_SOURCE
    patience: float = 10.0
    now: Micros = 1_800_000_000_000_000
    woken: int = 0
    refused: list[tuple[Event, bytes]] = field(default_factory=list)

    @property
    def kept(self) -> Shelf:
        assert self.shelf is not None
        return self.shelf

    def intake(self) -> Intake:
        ids = count()
        endpoints = {
            touchpoint.name: Endpoint(touchpoint=touchpoint, url=f"http://hooks.test/hooks/{touchpoint.name}")
            for touchpoint in self.touchpoints
        }

        def arrived() -> None:
            self.woken += 1

        return Intake(
            directory=lambda: Directory(endpoints=endpoints),
            inbox=lambda: self.shelf,
            limits=lambda: self.limits,
            trusted_proxies=lambda: self.proxies,
            budget=self.budget,
            now=lambda: self.now,
            new_id=lambda _now: f"{next(ids):026d}",
            arrived=arrived,
            refused=lambda event, body: self.refused.append((event, body)),
            perform=self.perform,
            published=self.published,
            patience=self.patience,
        )

    @asynccontextmanager
    async def listening(self, **options: Any) -> AsyncIterator[Listener]:
        options.setdefault("deadlines", PATIENT)
        listener = await Listener.open(make_app(self.intake()), "127.0.0.1", 0, **options)
        try:
            yield listener
        finally:
            await listener.close(0.1)


class Line:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """One answer without a body."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Everything until the other side closes."""
        async with asyncio.timeout(10):
            return await self.reader.read()


@asynccontextmanager
async def dial(listener: Listener, **options: Any) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection(*listener.address, **options)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def exchange(listener: Listener, data: bytes) -> bytes:
    """What comes back for these bytes until the listener closes."""
    async with dial(listener) as line:
        with suppress(ConnectionError):
            await line.say(data)
        return await line.rest()


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


def signature(body: bytes) -> bytes:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()


def post(body: bytes, *headers: bytes, path: bytes = b"/hooks/orders", close: bool = False) -> bytes:
    """A signed POST."""
    lines = [b"POST %s HTTP/1.1" % path, b"Host: hooks.test", b"X-Signature: " + signature(body), *headers]
    lines.append(b"Content-Length: %d" % len(body))
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer[9:12])

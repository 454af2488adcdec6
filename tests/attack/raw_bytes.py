"""Raw bytes at the listener's own protocol, over a line in memory and in virtual time.

Whatever they are and however they come in pieces: nothing is raised, the connection ends in time, only what a reader who
forgives nothing takes for a whole request is answered 2xx or stored, and nothing of the connection stays in memory.
"""

import asyncio
import gc
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from weakref import WeakSet

from uvicorn.server import ServerState

from tests.attack.line_in_memory import LineInMemory
from tests.attack.strict_reading import Whole, whole_requests
from tests.simulation.loop import VirtualLoop
from tests.web.listener.scene import Scene, signature
from web.listener.app import make_app
from web.listener.connection import Deadlines
from web.listener.protocol import GuardedProtocol
from web.listener.uvicorn_config import uvicorn_config

LONGEST = 600  # seconds, of virtual time, within which every connection ends
_SWEEP = 4.0  # seconds, of virtual time
_ANSWER = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z -]+\r\n(?:[a-z-]+: [!-~ ]*\r\n)*\r\n(?:\{\"ok\":true\})?")
_REMEMBERED = 1000  # inputs after which is looked whether a connection is still held


@dataclass(frozen=True, slots=True)
class _Way:
    """How a sender behaves."""

    piece: int  # bytes that come at a time
    ends: str = ""  # eof: it closes its side; gone: it resets the connection; else it stays, and is silent
    deaf: bool = False


_AT_ONCE = _Way(1 << 30)
# One of them beside it, by how long the bytes are.
_WAYS = (_Way(1 << 30, "eof"), _Way(1), _Way(29, "gone"), _Way(7, deaf=True))


class RawBytes:
    """The target: call it with bytes. Raises AssertionError, or whatever came out."""

    def __init__(self) -> None:
        self._scene = Scene()
        self._config = uvicorn_config(make_app(self._scene.intake()))
        self._made = WeakSet[GuardedProtocol]()
        self._count = 0

    def __call__(self, data: bytes) -> None:
        rightful = [one for one in whole_requests(data) if one.method != b"CONNECT"]
        for way in (_AT_ONCE, _WAYS[len(data) % len(_WAYS)]):
            self._scene.kept.arrivals.clear()
            self._scene.refused.clear()
            said = self._converse(data, way)
            _judge(said, rightful, self._scene.kept.bodies)
        self._count += 1
        if self._count % _REMEMBERED == 0:
            self.look()

    def look(self) -> None:
        """See that no connection is still held. Raises AssertionError."""
        gc.collect()
        assert not self._made, f"{len(self._made)} connections that ended are still in memory"

    def _converse(self, data: bytes, way: _Way) -> bytes:
        """What one connection is answered."""
        loop, troubles = VirtualLoop(), list[Any]()
        loop.set_exception_handler(lambda _loop, context: troubles.append(context))
        lost: list[GuardedProtocol] = []
        state = ServerState()
        protocol = GuardedProtocol(self._config, state, Deadlines(), lost.append, loop)
        self._made.add(protocol)
        line = LineInMemory(loop, deaf=way.deaf)
        try:
            loop.run_until_complete(_lead(line, protocol, data, way))
            assert line.lost, f"the connection is still there after {loop.time():.0f} seconds"
            assert len(lost) == 1, "its listener was not told once that it ended"
            assert not state.tasks, "an app still runs for it"
            assert not state.connections, "uvicorn still counts it"
            assert not self._scene.budget.used, "bytes of the budget are not given back"
            assert not troubles, troubles
        finally:
            loop.close()
        return bytes(line.said)


async def _lead(line: LineInMemory, protocol: GuardedProtocol, data: bytes, way: _Way) -> None:
    line.begin(protocol)
    for at in range(0, len(data), way.piece):
        await _until(lambda: line.reading or line.lost, protocol)
        if line.is_closing():
            break
        protocol.data_received(data[at : at + way.piece])
        await asyncio.sleep(0)  # the app takes a step
    await asyncio.sleep(0.001)  # virtual: all that can be done is done
    if way.ends == "eof":
        await _until(lambda: line.reading or line.lost, protocol)
        if not line.is_closing() and not protocol.eof_received():
            line.close()
    elif way.ends == "gone":
        line.break_off(ConnectionResetError("reset"))
    await _until(lambda: line.lost, protocol)
    await asyncio.sleep(0.001)


async def _until(holds: Callable[[], bool], protocol: GuardedProtocol) -> None:
    """Look at the connection each second, as its listener does."""
    loop = asyncio.get_running_loop()
    while not holds() and loop.time() < LONGEST:
        await asyncio.sleep(_SWEEP)
        protocol.sweep(loop.time(), _SWEEP)


def _judge(said: bytes, rightful: Sequence[Whole], stored: Sequence[bytes]) -> None:
    """Hold what was answered and stored against what came whole. Raises AssertionError."""
    good = [_may_be_good(one) for one in rightful]
    events = [one.body for one, well in zip(rightful, good, strict=True) if well and one.path != b"/health"]
    promised = 0
    for number, status in enumerate(_statuses(said)):
        assert status != 500, "a request failed"
        if 200 <= status < 300:
            assert number < len(good), f"answer {number} is {status}, to what is no whole request"
            assert good[number], f"answer {number} is {status}, to {rightful[number]}"
            promised += rightful[number].path != b"/health"
    assert list(stored) == events[: len(stored)], f"stored is {stored!r}, sent was {events!r}"
    assert promised <= len(stored), f"{promised} were promised, {len(stored)} are stored"


def _statuses(said: bytes) -> Iterator[int]:
    """Of each answer, without what says that a body may come."""
    at = 0
    while at < len(said):
        answer = _ANSWER.match(said, at)
        assert answer is not None, f"no answer: {said[at : at + 200]!r}"
        at = answer.end()
        if answer[1] != b"100":
            yield int(answer[1])


def _may_be_good(one: Whole) -> bool:
    if one.path == b"/health":
        return one.method in (b"GET", b"HEAD")
    if not one.path.startswith(b"/hooks/") or one.method != b"POST":
        return False
    name = unquote_to_bytes(one.path.removeprefix(b"/hooks/"))
    shown = {value.lower() for header, value in one.headers if header == b"x-signature"}
    return name == b"open" or (name == b"orders" and signature(one.body) in shown)


def raw_seeds() -> list[bytes]:
    """Requests that are right, as senders part them."""
    head = b"POST /hooks/open HTTP/1.1\r\nHost: a\r\n"
    signed = b"POST /hooks/orders HTTP/1.1\r\nHost: a\r\nX-Signature: %s\r\n" % signature(b"{}")
    length, chunks = b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n"
    return [
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        head + length,
        head + chunks,
        signed + length,
        signed + chunks,
        signed + length + head + chunks + head + b"Connection: close\r\n" + length,
        head + b"Expect: 100-continue\r\n" + length,
        head + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + length,
        head + chunks.replace(b"0\r\n\r\n", b"0\r\nX-Trailer: y\r\n\r\n"),
        b"POST http://a/hooks/open?b=c HTTP/1.0\r\nConnection: keep-alive\r\n" + length,
        head.replace(b"open", b"nope") + length + head + length,
    ]

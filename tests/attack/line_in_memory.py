"""A connection in memory: what the loop would hand to a protocol of a socket, and as strict as that about its use."""

import asyncio
from collections.abc import Callable
from typing import Any


class LineInMemory(asyncio.Transport):
    """Keeps all that is written to it. One that is `deaf` has a sender who takes nothing of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, deaf: bool = False) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711), "sockname": ("192.0.2.1", 8420)})
        self.said = bytearray()
        self.reading = True
        self.lost = False
        self._loop = loop
        self._deaf = deaf
        self._closing = self._ended = False
        self._protocol: Any = None

    def begin(self, protocol: asyncio.Protocol) -> None:
        """Connect."""
        self._protocol = protocol
        protocol.connection_made(self)

    def break_off(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        if not self._closing or error is None:
            self._closing = True
            self._loop.call_soon(self._lose, error)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._ended:
            raise RuntimeError("something is written after the end was")
        if self.lost or self._closing:
            return
        self.said += data
        if self._deaf:
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        self._ended = True

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if not (self._deaf and self.said):  # else it waits until all is taken
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        self._closing = True
        self._loop.call_soon(self._lose, None)

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def _lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            protocol: Callable[[Exception | None], None] = self._protocol.connection_lost
            protocol(error)
            self._protocol = None

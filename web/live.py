"""The live stream: a few times a second what changed is rendered once, and the same bytes go to every page that is open.

Nothing is rendered while nobody watches. A page that reads slowly misses what lay between and gets everything as it is now.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import orjson

from store.inbox import StoreUnavailable

TICK = 0.25  # seconds between two ticks, at least
QUIET = 3.0  # and at most, so that ages and waits move on
SHARE = 12.0  # a tick that took a moment is followed by a rest so many times as long: watching must not slow the work
CROWD = 100  # with so many pages open, ticks come half as often
MOST = 500
BEAT = 15.0  # seconds between two signs of life

_ALIVE = b": alive\n\n"


class Watcher:
    """One open page: what it has not been sent yet is one message, or a wish for everything."""

    def __init__(self) -> None:
        self.message: bytes | None = None
        self.behind = True
        self.ready = asyncio.Event()

    def tell(self, message: bytes) -> None:
        """Leave a message; when one still lies there, this page has fallen behind."""
        self.behind = self.behind or self.message is not None
        self.message = message
        self.ready.set()


class Live:
    """Everyone who watches. `run` renders for them until it is cancelled; `close` ends every stream."""

    def __init__(self, *, pulse: Callable[[], int] = lambda: 0) -> None:
        """`pulse` changes whenever something happened."""
        self._pulse = pulse
        self._watchers: set[Watcher] = set()
        self._somebody = asyncio.Event()
        self._now: dict[str, str] = {}
        self._closed = False

    async def run(self, render: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        """Tick for as long as somebody watches; `render` gives every piece by its name."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._somebody.wait()
            began, pulse = clock(), self._pulse()
            with suppress(StoreUnavailable):
                self._tick(await render())
            rest = max(TICK * (1 + len(self._watchers) / CROWD), SHARE * (clock() - began))
            await asyncio.sleep(rest)
            while (  # noqa: ASYNC110 - what happens must not cost a wake-up each: a glance now and then is cheaper
                self._pulse() == pulse and clock() - began < QUIET and not self._newcomers()
            ):
                await asyncio.sleep(TICK)

    async def stream(self) -> AsyncIterator[bytes]:
        """The stream of one page, as Server-Sent Events."""
        watcher = Watcher()
        self._watchers.add(watcher)
        self._somebody.set()
        try:
            yield _ALIVE
            while not self._closed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(watcher.ready.wait(), BEAT)
                watcher.ready.clear()
                yield self._next(watcher)
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._somebody.clear()

    @property
    def crowded(self) -> bool:
        """Whether no more pages can be kept live."""
        return len(self._watchers) >= MOST

    def close(self) -> None:
        """End every stream; browsers come back by themselves."""
        self._closed = True
        for watcher in self._watchers:
            watcher.ready.set()

    def _newcomers(self) -> bool:
        return any(watcher.behind and watcher.message is None for watcher in self._watchers)

    def _tick(self, pieces: Mapping[str, str]) -> None:
        changed = {name: html for name, html in pieces.items() if self._now.get(name) != html}
        self._now = dict(pieces)
        message = _message(changed)
        for watcher in self._watchers:
            watcher.tell(message)

    def _next(self, watcher: Watcher) -> bytes:
        message, watcher.message = watcher.message, None
        if message is None:
            return _ALIVE
        if watcher.behind:
            watcher.behind = False
            return _message(self._now)
        return message


def _message(pieces: Mapping[str, str]) -> bytes:
    return b"data: " + orjson.dumps(pieces) + b"\n\n"

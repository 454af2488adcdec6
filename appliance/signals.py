"""The signals that ask for an end, on every system."""

import asyncio
import signal
from types import FrameType


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` when the process is asked to end: SIGINT, SIGTERM, and Ctrl-Break on Windows.

    asyncio's own handlers exist on POSIX alone; these work on both, since the handler wakes the loop.
    """
    loop = asyncio.get_running_loop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, ask)

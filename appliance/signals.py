"""The signals that ask for an end, on every system."""

import asyncio
import contextlib
import signal
import sys
from types import FrameType

if sys.platform == "win32":
    from appliance.signals_windows import on_console_events


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` when the process is asked to end: SIGINT and SIGTERM; on Windows also Ctrl-Break, a closed window, a shutdown.

    asyncio's own handlers exist on POSIX alone; these work on both, since the handler wakes the loop.
    """
    loop = asyncio.get_running_loop()

    def ask() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop.set)

    def handle(_number: int, _frame: FrameType | None) -> None:
        ask()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, handle)
    if sys.platform == "win32":
        on_console_events(ask)

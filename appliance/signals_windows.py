"""What Windows tells a console program: Ctrl-C and Ctrl-Break, a closed window, a shutdown."""

import ctypes
import time
from collections.abc import Callable
from ctypes import wintypes

_CTRL_C, _CTRL_BREAK, _CLOSE, _LOGOFF, _SHUTDOWN = 0, 1, 2, 5, 6
# Windows ends the process as soon as the handler of these comes back, and by itself after 5 to 20 seconds.
_FINAL = {_CLOSE, _SHUTDOWN}
_LONGEST = 20.0

_Handler = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)
_kept: list[object] = []  # Windows calls them for as long as the process lives


def on_console_events(ask: Callable[[], object]) -> None:
    """Call `ask`, in a thread of Windows' own, when the process is to end.

    A handler by `signal` would not do. It comes back at once, which ends a process whose window is closed before anything
    is put in order; and it hears of every person who logs off, which a service must outlive.
    """

    def hear(event: int) -> bool:
        if event == _LOGOFF:
            return True
        if event in {_CTRL_C, _CTRL_BREAK} | _FINAL:
            ask()
            if event in _FINAL:
                time.sleep(_LONGEST)  # the process ends by itself meanwhile
            return True
        return False

    handler = _Handler(hear)
    _kept.append(handler)
    if not ctypes.windll.kernel32.SetConsoleCtrlHandler(handler, True):
        raise ctypes.WinError()

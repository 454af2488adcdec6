"""The console window that Windows opens for a program started by a double-click, and closes with it."""

import ctypes
import sys
import traceback


def hold_own_console(error: BaseException, *, processes: int) -> None:
    """After a failure keep the window until it was read, where it is ours alone; `processes` is how many of ours are in it."""
    failed = not isinstance(error, SystemExit) or error.code not in {None, 0}
    if not failed or not _is_alone(processes) or not sys.stdin.isatty():
        return
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
    sys.stderr.write("\nPress Enter to close this window.\n")
    sys.stderr.flush()
    sys.stdin.readline()


def _is_alone(processes: int) -> bool:
    """Whether no shell is attached to the console: then the window goes when we go."""
    attached = (ctypes.c_ulong * (processes + 1))()
    count = ctypes.WinDLL("kernel32").GetConsoleProcessList(attached, len(attached))
    return 0 < int(count) <= processes

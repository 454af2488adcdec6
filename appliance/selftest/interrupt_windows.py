"""Ctrl-C for another process on Windows, as a service wrapper sends it: by a helper that joins that process's console."""

import ctypes
import subprocess
from collections.abc import Sequence

OWN_CONSOLE = subprocess.CREATE_NO_WINDOW  # a console that nobody sees: Ctrl-C reaches all who share one
_SECONDS = 60.0


def interrupt(process: int, *, command: Sequence[str]) -> None:
    """Let a helper send Ctrl-C to a process that was started with `OWN_CONSOLE`; `command` starts this program.

    We can't do it ourselves: it means to leave our own console. Raises OSError.
    """
    done = subprocess.run(  # noqa: S603 - this program itself
        [*command, "selftest", "--interrupt", str(process)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
        creationflags=OWN_CONSOLE,
    )
    if done.returncode:
        raise OSError(done.stderr.decode("utf-8", "replace").strip()[-300:])


def send_interrupt(process: int) -> None:
    """What the helper does. Raises OSError."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.FreeConsole()
    joined = kernel.AttachConsole(process) and kernel.SetConsoleCtrlHandler(None, True)
    if not (joined and kernel.GenerateConsoleCtrlEvent(0, 0)):
        raise ctypes.WinError(ctypes.get_last_error())

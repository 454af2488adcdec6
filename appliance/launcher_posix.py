"""The launcher of a one-file executable, on Linux and macOS: when it ends, however it ends, we end too and free our port."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

_SET_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG
_LOOK_EVERY = 1.0


def follow_launcher() -> None:
    """Be sent SIGTERM when the launcher ends. Raises SystemExit when it is gone already."""
    launcher = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(launcher,), name="launcher", daemon=True).start()
    # It may have been killed before the line above: then somebody else is our parent by now.
    if os.getppid() != launcher or not _is_launcher(launcher):
        raise SystemExit(128 + signal.SIGTERM)


def hold_own_console(_error: BaseException, *, processes: int) -> None:
    """Nothing to do: no terminal here closes before it was read."""


def is_own(folder: Path) -> bool:
    """Whether an unpacked folder is this user's, and others may not enter it."""
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _is_launcher(process: int) -> bool:
    """Whether that process runs the same executable, where the system lets us see."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{process}/exe") == os.readlink("/proc/self/exe")  # noqa: PTH115 - the link's own text
    return process != 1


def _watch(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)

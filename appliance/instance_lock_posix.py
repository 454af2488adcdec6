"""An exclusive lock on an open file, on Linux and macOS."""

import fcntl
from typing import IO


def try_lock(file: IO[bytes]) -> bool:
    """Whether the lock was free."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""An exclusive lock on an open file, on Windows."""

import msvcrt
from typing import IO


def try_lock(file: IO[bytes]) -> bool:
    """Whether the lock was free."""
    file.seek(0)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True

"""The instance lock: one process holds a data folder for as long as it lives; the system frees it, however the process ends."""

import sys
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    from appliance.instance_lock_windows import try_lock
else:
    from appliance.instance_lock_posix import try_lock


class InstanceLock:
    """The lock on a data folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Whether it is ours now. Raises OSError when the file cannot be opened."""
        file = self._path.open("ab")
        if not try_lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give it back; the file stays, so that nobody locks one that is about to go."""
        if self._file is not None:
            self._file.close()
            self._file = None

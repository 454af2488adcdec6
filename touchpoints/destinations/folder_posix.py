"""A file that appears whole on Linux and macOS, and making that last."""

import errno
import os
from pathlib import Path

# Network and user-space disks that cannot, and folders that may be written but not read.
_CANNOT = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}


def put_in_place(aside: Path, path: Path) -> None:
    """Give a finished file its name. Raises OSError."""
    aside.replace(path)


def sync_folder(folder: Path) -> None:
    """Bring the folder's entries to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise

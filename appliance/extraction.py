"""The folder that a one-file executable unpacks itself into, and its removal where a killed launcher left it behind.

Each holds a mark of ours from the start. Whoever lives off the folder adds a claim to it, and holds a lock on it. Only what
is ours goes: a marked folder whose claim nobody holds any more, or that nobody claimed for ten minutes.
"""

import contextlib
import shutil
import sys
import time
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    from appliance.instance_lock_windows import try_lock
else:
    from appliance.instance_lock_posix import try_lock
    from appliance.launcher_posix import is_own

MARK = "hookport.mark"
MARKED = b"An unpacked Hookport. It may go when nobody holds a lock on this file.\n"
_CLAIMED = b"claimed\n"
_UNCLAIMED_FOR = 600.0  # seconds: by then a start has come to its claim, however slow the disk and the virus scanner
_TRIES = 3


def claim(folder: Path) -> IO[bytes] | None:
    """Say that we live off the folder, until the returned file is closed; None when a process that shares it did so."""
    with contextlib.suppress(OSError):
        file = (folder / MARK).open("a+b")
        for _ in range(_TRIES):
            if try_lock(file):
                file.seek(0)
                if not file.read().endswith(_CLAIMED):
                    file.write(_CLAIMED)
                    file.flush()
                return file
            time.sleep(0.02)  # a sweeping instance lets go at once
        file.close()
    return None


def sweep(parent: Path, *, own: Path) -> list[Path]:
    """Remove what killed launchers left; the folders that are gone. Never another program's, another user's or a living one."""
    gone = []
    with contextlib.suppress(OSError):
        for folder in sorted(parent.glob("_MEI*")):
            if folder != own and _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return gone


def _is_left_behind(folder: Path) -> bool:
    mark = folder / MARK
    try:
        if folder.is_symlink() or mark.is_symlink() or not mark.is_file():
            return False
        # On Windows the folder for temporary files is the user's own already.
        if sys.platform != "win32" and not is_own(folder):
            return False
        with mark.open("r+b") as file:
            if not try_lock(file):
                return False
            words = file.read(len(MARKED + _CLAIMED) + 1)
        return words == MARKED + _CLAIMED or (words == MARKED and time.time() - folder.stat().st_mtime > _UNCLAIMED_FOR)
    except OSError:
        return False

"""A file that appears whole on Windows: replacing one that is read, and making a rename last."""

import time
from pathlib import Path

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)


def put_in_place(aside: Path, path: Path) -> None:
    """Give a finished file its name. Raises OSError.

    Windows refuses while anybody has either file open without sharing it: the one who watches the folder, a virus scanner
    that looks at every new file. Both are mostly done in a moment.
    """
    for pause in _PAUSES:
        try:
            aside.replace(path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    aside.replace(path)


def sync_folder(folder: Path) -> None:
    """Nothing to do: Windows cannot fsync a folder, and NTFS keeps a rename in its journal."""

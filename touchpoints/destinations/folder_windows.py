"""Making a rename last on Windows."""

from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Nothing to do: Windows cannot fsync a folder, and NTFS keeps a rename in its journal."""

"""A finished file gets its name, and a folder's entries reach the disk, as each system can."""

import sys

if sys.platform == "win32":
    from touchpoints.destinations.folder_windows import put_in_place, sync_folder
else:
    from touchpoints.destinations.folder_posix import put_in_place, sync_folder

__all__ = ["put_in_place", "sync_folder"]

"""The facts of this process: versions, the disk, certificates, and the end of its own log."""

import platform
import shutil
import sqlite3
from typing import Any

from appliance import VERSION
from appliance.data_folder import DataFolder
from appliance.direct_path import DirectPath
from appliance.floor import Floor
from appliance.late_file import LateFile
from touchpoints.moment import Micros
from web.facts import Facts
from web.vitals import Vitals

_TAIL_BYTES = 64 * 1024


def facts_of(folder: DataFolder, *, listener_ends: Micros | None, page_ends: Micros | None) -> Facts:
    """What the settings show about the process."""
    try:
        free = shutil.disk_usage(folder.path).free
    except OSError:
        free = None
    return Facts(
        folder=str(folder.path),
        machine=platform.node(),
        system=platform.platform(terse=True),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        free_bytes=free,
        listener_certificate_ends=listener_ends,
        page_certificate_ends=page_ends,
    )


def vitals_of(direct: DirectPath, url: str, floor: Floor, late: LateFile[Any]) -> Vitals:
    """What stands around every screen; `url` is the host public URL."""
    return Vitals(
        version=VERSION,
        direct=direct.state,
        direct_url=url,
        direct_error=direct.error,
        stored_bytes=floor.stored_bytes,
        migrating=late.migrating,
    )


def log_tail(folder: DataFolder) -> str:
    """The last lines of the log, whole ones only; secrets were blotted out when they were written."""
    try:
        with (folder.logs / "hookport.log").open("rb") as file:
            start = max(0, file.seek(0, 2) - _TAIL_BYTES)
            file.seek(start)
            text = file.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if start else text

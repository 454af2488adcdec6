"""Who runs: PID and page beside the lock file, and this start's machine token, for commands and a second double-click."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from appliance.data_folder import DataFolder
from touchpoints.destinations.in_place import put_in_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running instance, as it wrote itself down."""

    pid: int
    page: str  # the page's address, e.g. http://127.0.0.1:8421


def write_running(folder: DataFolder, running: Running, token: str) -> None:
    """Write both files aside and rename them, so that a reader never sees half of one."""
    _write(folder.machine_token, token.encode())
    _write(folder.running, orjson.dumps({"pid": running.pid, "page": running.page}))


def read_running(folder: DataFolder) -> Running | None:
    """What the running instance wrote, or None when nothing readable stands there. It may be stale: the lock tells."""
    try:
        read = orjson.loads(folder.running.read_bytes())
        return Running(pid=int(read["pid"]), page=str(read["page"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clear_running(folder: DataFolder) -> None:
    """A clean stop leaves neither."""
    for path in (folder.running, folder.machine_token):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def digest(token: str) -> bytes:
    """How a token is kept and compared: never itself."""
    return hashlib.sha256(token.encode()).digest()


def _write(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    put_in_place(aside, path)

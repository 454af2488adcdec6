"""The data folder's rights on Linux and macOS."""

import os
import shlex
from pathlib import Path


def is_privileged() -> bool:
    """Whether the process runs as root."""
    return os.geteuid() == 0


def make_private(path: Path) -> None:
    """Make the folder readable by its owner alone, its parents as the system likes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700)
    path.chmod(0o700)


def why_not_private(path: Path) -> str:
    """What is wrong with the folder's owner or rights, or empty."""
    status = path.stat()
    if status.st_uid != os.geteuid():
        return f"it belongs to user {status.st_uid}, and Hookport runs as user {os.geteuid()}"
    if status.st_mode & 0o077:
        return f"others may enter it (mode {status.st_mode & 0o777:o})"
    return ""


def mend_command(path: Path) -> str:
    """The command that gives the folder the owner and rights it needs."""
    quoted = shlex.quote(str(path))
    return f"chown -R {os.geteuid()} {quoted} && chmod 700 {quoted}"

"""The data folder's rights on Windows: set once when the folder is made, because changing them later locks people out."""

import ctypes
import getpass
import subprocess
from pathlib import Path

# Well-known identifiers, the same in every language of Windows: Administrators and SYSTEM.
_ADMINISTRATORS = "*S-1-5-32-544"
_SYSTEM = "*S-1-5-18"


def is_privileged() -> bool:
    """Whether the process runs elevated."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def make_private(path: Path) -> None:
    """Make the folder for its owner, Administrators and SYSTEM alone."""
    path.mkdir(parents=True)
    _icacls(path, *_grants())


def why_not_private(path: Path) -> str:
    """What is wrong with the folder's rights, or empty."""
    shown = _icacls(path, "/findsid", "*S-1-1-0") + _icacls(path, "/findsid", "*S-1-5-32-545")
    return "every user of this machine may read it" if shown.count(str(path)) else ""


def mend_command(path: Path) -> str:
    """The command that gives the folder the rights it needs."""
    return f'icacls "{path}" {" ".join(_grants())}'


def _grants() -> list[str]:
    owner = f"{getpass.getuser()}:(OI)(CI)F"
    return ["/inheritance:r", "/grant:r", owner, f"{_ADMINISTRATORS}:(OI)(CI)F", f"{_SYSTEM}:(OI)(CI)F"]


def _icacls(path: Path, *arguments: str) -> str:
    """Run Windows' own tool; raises OSError in its words when it refuses."""
    done = subprocess.run(  # noqa: S603 - a fixed system tool, and a path that is an argument, never a shell's text
        ["icacls", str(path), *arguments],  # noqa: S607 - found on the system's own search path
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode:
        raise OSError(done.returncode, (done.stderr or done.stdout).strip())
    return done.stdout

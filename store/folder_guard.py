"""Folders no event is ever written to, whoever asks: what lands there could be run, or could break the machine or Hookport."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

_SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys", "/usr",
    "/System", "/Library", "/Applications",
)  # fmt: skip
_SCHEDULES = ("/var/spool/cron", "/var/spool/at", "/var/cron", "/var/at", "/var/lib/systemd")
_WINDOWS = {"systemroot": "the system", "programfiles": "programs", "programfiles(x86)": "programs", "programw6432": "programs"}
# Shows a whole disk of a machine, ours too, under another name.
_ADMINISTRATIVE_SHARE = re.compile(r"\\\\[^\\]+\\(?:[a-z]|admin)\$", re.IGNORECASE)
# Folders in anyone's home, by their last names, lower-cased.
_IN_HOMES = {
    (".ssh",): "keys that open this machine",
    (".gnupg",): "keys",
    (".config", "autostart"): "programs that run at start-up",
    (".config", "systemd"): "programs that run at start-up",
    ("library", "launchagents"): "programs that run at start-up",
    ("start menu", "programs", "startup"): "programs that run at start-up",
}


def folder_owner(path: Path, *, data_folder: Path, environment: Mapping[str, str]) -> str | None:
    """Whom a folder belongs to when no event may be written there, else None. Resolves links, so it reads the file system."""
    if str(path).startswith(("\\\\?\\", "\\\\.\\")):
        return "a device"
    try:
        place = path.resolve()
        owners = {data_folder.resolve(): "Hookport itself"} | {
            folder.resolve(): owner for folder, owner in _system_folders(environment).items()
        }
    except (OSError, RuntimeError):
        return "a circle of links"
    if place == Path(place.anchor) or _ADMINISTRATIVE_SHARE.fullmatch(place.drive):
        return "the system"
    for folder, owner in owners.items():
        if place.is_relative_to(folder):
            return owner
    return _owner_in_home(place)


def _system_folders(environment: Mapping[str, str]) -> dict[Path, str]:
    if sys.platform == "win32":
        set_here = {name.lower(): value for name, value in environment.items()}
        return {Path(set_here[name]): owner for name, owner in _WINDOWS.items() if set_here.get(name)}
    folders = dict.fromkeys(map(Path, _SYSTEM), "the system")
    return folders | dict.fromkeys(map(Path, _SCHEDULES), "programs that run by themselves")


def _owner_in_home(place: Path) -> str | None:
    parts = tuple(part.lower() for part in place.parts)
    for names, owner in _IN_HOMES.items():
        if any(parts[at : at + len(names)] == names for at in range(len(parts))):
            return owner
    return None

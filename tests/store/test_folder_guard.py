"""Folders that no event is written to."""

import sys
from pathlib import Path

import pytest

from store.folder_guard import folder_owner

posix = pytest.mark.skipif(sys.platform == "win32", reason="these folders are not on Windows")


def owner(path: Path, data_folder: Path = Path("/nowhere/data")) -> str | None:
    return folder_owner(path, data_folder=data_folder, environment={})


@posix
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc",
        "/etc/cron.d",
        "/bin",
        "/usr/local/bin",
        "/dev/shm",
        "/proc/self/fd",
        "/srv/../etc",
        "/var/spool/cron/crontabs",
        str(Path("/", "root", ".ssh")),
        "/home/ann/.config/autostart",
        "/home/ann/.config/systemd/user",
    ],
)
def test_system_folders_are_refused(path: str) -> None:
    """What lands there could be run, or break the machine."""
    assert owner(Path(path)) is not None


@posix
def test_links_are_resolved_first(tmp_path: Path) -> None:
    """A link into a refused folder is refused, and so is a circle of links."""
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert owner(tmp_path / "link" / "x") == "the system"
    assert owner(tmp_path / "circle" / "x") == "a circle of links"


def test_our_data_folder_is_refused(tmp_path: Path) -> None:
    """Neither our folder nor one within it; one beside it with a longer name is fine."""
    data = tmp_path / "data"
    assert owner(data, data) == "Hookport itself"
    assert owner(data / "x", data) == "Hookport itself"
    assert owner(tmp_path / "database", data) is None


def test_ordinary_folders_are_fine(tmp_path: Path) -> None:
    """A folder made for events, even one that isn't there yet."""
    assert owner(tmp_path / "erp" / "in") is None


@pytest.mark.parametrize("path", ["\\\\?\\C:\\Windows", "\\\\.\\PIPE\\x"])
def test_device_paths_are_refused(path: str) -> None:
    """Paths that go around Windows' own rules."""
    assert owner(Path(path)) == "a device"


@pytest.mark.skipif(sys.platform != "win32", reason="these folders are only on Windows")
def test_windows_folders_are_refused() -> None:
    """The folders of system, programs and start-up, in any case."""
    environment = {"SystemRoot": "C:\\Windows", "ProgramFiles": "C:\\Program Files"}
    for path in (
        "c:\\windows\\System32",
        "C:\\PROGRAM FILES\\x",
        "\\\\localhost\\c$\\erp",
        "\\\\127.0.0.1\\ADMIN$",
        "C:\\Users\\ann\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup",
    ):
        assert folder_owner(Path(path), data_folder=Path("D:\\data"), environment=environment) is not None

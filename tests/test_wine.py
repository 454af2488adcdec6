"""The build for Windows on Linux: what is taken along. That it works is for `build.py verify windows wine`."""

import sys

from building.place import LOCKS
from building.windows import _judged, holds_on_windows
from building.windows_wine import wine_environment, wine_path

LOCK = """\
# a comment
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:aa
macholib==1.16.4 ; sys_platform == 'darwin' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
plain==1 \\
    --hash=sha256:dd
"""


def test_markers_are_judged_for_windows() -> None:
    """pip judges them for the machine it runs on, which would leave out what only Windows needs."""
    assert list(_judged(LOCK, sys.executable)) == [
        "colorama==0.4.6 \\",
        "    --hash=sha256:aa",
        "plain==1 \\",
        "    --hash=sha256:dd",
    ]
    assert holds_on_windows("python_version >= '3.13' and platform_machine == 'AMD64'", sys.executable)


def test_the_lock_holds_what_pyinstaller_needs_on_windows() -> None:
    """And Windows' Python is held to its hash."""
    kept = "\n".join(_judged((LOCKS / "exe.txt").read_text(encoding="utf-8"), sys.executable))
    for name in ("colorama", "pefile", "pywin32-ctypes", "tzdata", "pyinstaller"):
        assert f"\n{name}==" in kept, name
    assert "macholib" not in kept
    python = (LOCKS / "windows.txt").read_text(encoding="utf-8")
    assert "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754" in python


def test_wine_sees_paths_its_own_way_and_nothing_of_ours() -> None:
    """Drive Z: is this machine; what speaks to Python or to a desktop stays here."""
    assert wine_path("/srv/a b/c.spec") == "Z:\\srv\\a b\\c.spec"
    assert wine_path("--noconfirm") == "--noconfirm"
    settings = wine_environment({"PYTHONHASHSEED": "0"})
    assert settings["PYTHONHASHSEED"] == "0"
    assert "DISPLAY" not in settings
    assert [name for name in settings if name.startswith(("HOOKPORT", "VIRTUAL_ENV"))] == []

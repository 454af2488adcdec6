"""A second double-click: the page of the first comes up, and the second ends."""

import shlex
import sys
from pathlib import Path

import pytest

from tests.whole.hookport import Hookport

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a browser is named by BROWSER on POSIX alone")


@pytest.fixture
def opened(tmp_path: Path, hookport: Hookport) -> Path:
    """The file in which a stand-in for the browser writes what it is asked to open, before a desktop that is none."""
    script, opened = tmp_path / "browser.py", tmp_path / "opened.txt"
    script.write_text(f"import sys, pathlib; pathlib.Path({str(opened)!r}).write_text(sys.argv[1])", encoding="utf-8")
    for name in ("SSH_CONNECTION", "SSH_TTY"):
        hookport.environment.pop(name, None)
    browser = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} %s"
    hookport.environment |= {"DISPLAY": ":99", "BROWSER": browser}
    return opened


def test_a_second_start_opens_the_page_of_the_first(hookport: Hookport, opened: Path) -> None:
    """It exits 3 with words, as before, once the browser has the address."""
    hookport.start()
    second = hookport.run("run", "--admin", "127.0.0.1:0")
    assert second.returncode == 3
    assert "already runs" in second.stderr
    assert opened.read_text(encoding="utf-8") == f"http://127.0.0.1:{hookport.admin}"


def test_a_second_start_without_a_browser_opens_nothing(hookport: Hookport, opened: Path) -> None:
    """--no-browser means it, and so does a machine without a desktop."""
    hookport.start()
    assert hookport.run("run", "--admin", "127.0.0.1:0", "--no-browser").returncode == 3
    hookport.environment["SSH_CONNECTION"] = "10.0.0.1 22"
    assert hookport.run("run", "--admin", "127.0.0.1:0").returncode == 3
    assert not opened.exists()


def test_what_stands_in_a_spoiled_file_is_not_opened(hookport: Hookport, opened: Path) -> None:
    """Only an address of a page is given to a browser."""
    hookport.start()
    (hookport.data / "running.json").write_text('{"pid": 1, "page": "file:///etc/passwd"}', encoding="utf-8")
    assert hookport.run("run", "--admin", "127.0.0.1:0").returncode == 3
    assert not opened.exists()

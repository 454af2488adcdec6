"""What a single executable does before its command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance import frozen
from appliance.frozen import extraction, give_back_library_path, own_command

ROOT = Path(__file__).resolve().parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")


def test_from_source_nothing_is_unpacked() -> None:
    """The command is Python's, and there is no folder to claim."""
    assert extraction() is None
    assert own_command()[0] == sys.executable
    assert subprocess.run([*own_command(), "version"], capture_output=True, cwd=ROOT, check=True).stdout.startswith(
        b"hookport "
    )


@pytest.mark.parametrize(("home", "unpacked"), [("/tmp/_MEI12ab", True), ("/opt/hookport/_internal", False)])
def test_a_folder_build_is_told_from_one_file(monkeypatch: pytest.MonkeyPatch, home: str, unpacked: bool) -> None:
    """Only what is unpacked at each start has to be claimed."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", home, raising=False)
    assert (extraction() == Path(home)) is unpacked
    assert own_command() == [sys.executable]


def test_a_browser_gets_the_systems_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the launcher set is taken back: to what was there before, or to nothing."""
    monkeypatch.setattr(frozen, "is_frozen", lambda: True)
    environment = {"LD_LIBRARY_PATH": "/tmp/_MEI1", "LD_LIBRARY_PATH_ORIG": "/opt/lib", "DYLD_LIBRARY_PATH": "/x", "A": "b"}
    give_back_library_path(environment)
    assert environment == {"LD_LIBRARY_PATH": "/opt/lib", "A": "b"}


def test_from_source_the_library_path_is_the_persons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets it for Python means it."""
    monkeypatch.setattr(frozen, "is_frozen", lambda: False)
    environment = {"LD_LIBRARY_PATH": "/opt/lib"}
    give_back_library_path(environment)
    assert environment == {"LD_LIBRARY_PATH": "/opt/lib"}


FOLLOWER = """
import os, subprocess, sys, time
if sys.argv[1:] == ["child"]:
    from appliance.launcher_posix import follow_launcher
    follow_launcher()
    print(os.getpid(), flush=True)
    time.sleep(60)
else:
    subprocess.run([sys.executable, "-c", os.environ["CODE"], "child"])
"""


@linux_only
def test_the_child_of_a_killed_launcher_ends() -> None:
    """It must not go on holding the port when nothing is there to end it."""
    command = [sys.executable, "-c", FOLLOWER]
    environment = {**os.environ, "CODE": FOLLOWER}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as launcher:
        assert launcher.stdout is not None
        child = int(launcher.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        launcher.send_signal(signal.SIGKILL)
        assert launcher.stdout.read() == b""  # the pipe closes when the child, too, is gone


@linux_only
def test_a_launcher_that_is_gone_already_is_noticed() -> None:
    """Killed before the child could ask to be told: another program is the parent by then."""
    code = "from appliance.launcher_posix import follow_launcher; follow_launcher(); print('lives on')"
    script = '"$0" -c "$1" & wait'  # the parent is a shell, as it would be the system's first process
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable, code], capture_output=True, cwd=ROOT, check=False, timeout=30
    )
    assert done.stdout == b""

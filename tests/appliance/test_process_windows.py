import subprocess
import sys
import threading
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("what only Windows does", allow_module_level=True)

from appliance.data_folder import DataFolder
from appliance.running import Running, read_running, write_running

ROOT = Path(__file__).resolve().parents[2]
SPEAKING = """
import sys
from pathlib import Path
sys.stdin = sys.stdout = sys.stderr = None
sys.argv = ["hookport", "version"]
from appliance.command import main
try:
    main()
except SystemExit as end:
    Path(sys.argv[0]).with_name("code").write_text(str(end.code))
"""
FOLLOWING = """
import subprocess, sys
child = (
    "import time; from appliance.launcher_windows import follow_launcher; follow_launcher(); print('follows', flush=True)\\n"
    "try:\\n    while True: time.sleep(0.05)\\nexcept KeyboardInterrupt: print('in order', flush=True)"
)
subprocess.run([sys.executable, "-c", child])
"""


def test_without_a_console_there_are_no_streams_and_that_is_no_failure(tmp_path: Path) -> None:
    """As a program is started by some service wrappers."""
    code = SPEAKING.replace('"hookport", "version"', f"{str(tmp_path / 'hookport')!r}, 'version'")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=50, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "code").read_text() == "0"


def test_running_json_is_replaced_a_moment_later_while_somebody_reads_it(tmp_path: Path) -> None:
    """A command that looks whether we run does not stop a start."""
    folder = DataFolder(path=tmp_path)
    write_running(folder, Running(pid=1, page="http://127.0.0.1:1"), "token")
    reading = folder.running.open("rb")
    timer = threading.Timer(0.15, reading.close)
    timer.start()
    write_running(folder, Running(pid=2, page="http://127.0.0.1:2"), "token")
    timer.join()
    assert read_running(folder) == Running(pid=2, page="http://127.0.0.1:2")


def test_a_killed_launcher_takes_its_child_along() -> None:
    """The child is interrupted as by Ctrl-C, and ends in order."""
    with subprocess.Popen([sys.executable, "-c", FOLLOWING], cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "follows\n"
        launcher.kill()
        assert launcher.stdout.readline() == "in order\n"

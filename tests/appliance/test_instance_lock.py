import subprocess
import sys
from pathlib import Path

from appliance.instance_lock import InstanceLock

HOLDER = """
import sys
from pathlib import Path
from appliance.instance_lock import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def _other(path: Path) -> "subprocess.Popen[str]":
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    )


def test_two_processes_never_hold_it_together(tmp_path: Path) -> None:
    """The second is told at once; when the first is killed, the system frees the lock."""
    path = tmp_path / "hookport.lock"
    lock = InstanceLock(path)
    with _other(path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "True\n"
        assert not lock.acquire()
        first.kill()
        first.wait(10)
        assert lock.acquire()
    with _other(path) as second:
        assert second.stdout is not None
        assert second.stdout.readline() == "False\n"
        second.kill()
    lock.release()
    lock.release()
    assert path.exists()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """By another holder in the same process as well, which cannot have it before."""
    one, other = InstanceLock(tmp_path / "lock"), InstanceLock(tmp_path / "lock")
    assert one.acquire()
    assert not other.acquire()
    one.release()
    assert other.acquire()
    other.release()

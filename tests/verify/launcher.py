"""The launcher of the one-file executable, killed: no child holds the port, and the next start sweeps what it left."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from building.exe import DIST, OWN_TARGET, executable

from appliance.extraction import MARK
from tests.bench.children import answers, end
from tests.bench.figures import Report
from tests.bench.processes import family
from tests.bench.subject import Subject
from tests.free_port import free_port
from tests.verify.case import FailedError, LeftOutError, must

ROUNDS = 5


def launcher() -> Report:
    """Kill it at different moments; each time port and folder must be free again."""
    if sys.platform != "linux":
        raise LeftOutError("killing the launcher is looked at on Linux here; Windows has its own check")
    path = executable(DIST / OWN_TARGET, "onefile", OWN_TARGET)
    must(path.is_file(), f"{path} is not there; make it with `python3 build.py exe`")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="hookport-verify-") as name:
        temporary = Path(name) / "temporary"
        temporary.mkdir()
        stranger = temporary / "_MEIstranger"
        stranger.mkdir()
        for number in range(ROUNDS):
            _killed(path, Path(name) / f"killed-{number}", temporary, early=number % 2 == 1)
        left = _unpacked(temporary) - {stranger}
        report.add("folders left by killed launchers", len(left), "")
        for folder in left:
            os.utime(folder, (1, 1))  # one that was killed before its claim is left alone for ten minutes
        subject = Subject(Path(name) / "next", sink=free_port(), command=[str(path)])
        with _started(subject, temporary):
            _await(lambda: answers(subject.url("kept")), "the next start does not answer")
            _await(lambda: len(_unpacked(temporary) - {stranger} - _living(temporary)) == 0, "what was left is not swept")
            must(stranger.is_dir(), "another program's folder was swept")
        must(_unpacked(temporary) == {stranger}, "a clean end leaves its folder behind")
    return report


def _killed(path: Path, folder: Path, temporary: Path, *, early: bool) -> None:
    subject = Subject(folder, sink=free_port(), command=[str(path)])
    with _started(subject, temporary) as process:
        if early:
            # Before that the child waits in the launcher's own code for a word of it: no Python, no port.
            _await(lambda: any(map(_has_python, family(process.pid)[1:])), "the launcher starts no child")
        else:
            _await(lambda: answers(subject.url("kept")), "it does not answer")
        children = family(process.pid)[1:]
        process.send_signal(signal.SIGKILL)
        process.wait()
        _await(lambda: not any(_lives(child) for child in children), "a child of the killed launcher lives on")
        must(not answers(subject.url("kept")), "a child of the killed launcher holds the port")


@contextlib.contextmanager
def _started(subject: Subject, temporary: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(subject.command(), stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
    try:
        yield process
    finally:
        end(process)


def _unpacked(temporary: Path) -> set[Path]:
    return set(temporary.glob("_MEI*"))


def _living(temporary: Path) -> set[Path]:
    """The folders whose mark somebody holds."""
    import fcntl

    held = set()
    for folder in _unpacked(temporary):
        with contextlib.suppress(FileNotFoundError), (folder / MARK).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                held.add(folder)
    return held


def _has_python(process: int) -> bool:
    try:
        return "libpython" in Path(f"/proc/{process}/maps").read_text()
    except OSError:
        return False


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _await(true: Callable[[], object], words: str, *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise FailedError(words)
        time.sleep(0.02)

"""The executables for Windows under wine: a data folder of many letters, a backlog over a stop, a launcher that is killed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
from building.exe import DIST, KINDS, executable
from building.windows import can_build_windows
from building.windows_wine import PREFIX, run_wine, start_wine

from tests.bench.figures import Report
from tests.free_port import free_port
from tests.verify.case import FailedError, LeftOutError, must
from tests.whole.destination import Destination

PATIENCE = 120.0  # wine on a busy machine
FOLDER = "Hookport Daten äöü ✓"
EVENTS = 20
RUNNING_ALREADY = 3
CONFIGURATION = """
[agent]
mode = "direct"
host_public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1"
port = {port}
[[touchpoint]]
name = "orders"
provider = "generic"
verify = {{ scheme = "none", allow_unsigned = true }}
[[touchpoint.destination]]
name = "files"
kind = "folder"
path = '{inbox}'
[[touchpoint.destination]]
name = "erp"
kind = "http"
url = "http://127.0.0.1:{sink}/in"
"""


def wine() -> Report:
    """Both builds, from the first start to a killed launcher, each wait bounded."""
    if why := can_build_windows():
        raise LeftOutError(why)
    report = Report()
    for kind in KINDS:
        path = executable(DIST / "windows", kind, "windows")
        must(path.is_file(), f"{path} is not there; make it with `python3 build.py exe --target windows`")
        with installation(Installation, path) as installed:
            report.add(f"{kind}: size", path.stat().st_size / 1_000_000, "MB")
            _live_through(installed, kind, report)
    return report


class Installation:
    """One executable and its data folder on drive C:."""

    def __init__(self, program: Path, drive: Path) -> None:
        self.program = program
        self.home = drive / "users" / "Public" / FOLDER
        self.data, self.inbox = self.home / "data", self.home / "ERP in"
        self.port, self.sink = free_port(), free_port()
        self._drive = drive
        self._process: subprocess.Popen[bytes] | None = None

    def set_up(self) -> None:
        """An empty folder with a configuration file."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.inbox.mkdir(parents=True)
        text = CONFIGURATION.format(port=self.port, sink=self.sink, inbox=self.windows(self.inbox))
        (self.home / "hookport.toml").write_text(text, encoding="utf-8")

    def windows(self, path: Path) -> str:
        """A path as Windows knows it."""
        return "C:\\" + str(path.relative_to(self._drive)).replace("/", "\\")

    def command(self) -> list[str]:
        """What a technician would type."""
        options = ["--data-dir", self.windows(self.data), "--config", self.windows(self.home / "hookport.toml")]
        return [str(self.program), "run", *options, "--admin", "127.0.0.1:0", "--no-browser"]

    def start(self) -> float:
        """Start it; seconds until it answers."""
        begun = time.monotonic()
        self._process = start_wine(self.command(), heard=False)
        await_true(self.answers, "it does not listen", told=self._told)
        await_true((self.data / "running.json").is_file, "it does not say that it runs", told=self._told)
        return time.monotonic() - begun

    def answers(self) -> bool:
        """Whether the listener answers."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=5).is_success
        return False

    def post(self, number: int) -> None:
        """Send an event, and have it accepted."""
        answer = httpx.post(f"http://127.0.0.1:{self.port}/hooks/orders", json={"order": number}, timeout=PATIENCE)
        must(answer.status_code == 200, f"an event was answered {answer.status_code}")

    def status(self) -> dict[str, Any]:
        """What `hookport status` says; needs you, because a destination is down, so the code is no matter."""
        done = run_wine([str(self.program), "status", "--json", "--data-dir", self.windows(self.data)], seconds=PATIENCE)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def interrupt(self) -> None:
        """Ctrl-C for the program itself, which is the launcher's child in the one-file build; a clean end."""
        process = self._running()
        for one in self._family() - {process.pid} or {process.pid}:
            os.kill(one, signal.SIGINT)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise FailedError(f"it did not end when it was interrupted: {self._told()}") from None
        must(code == 0, f"it ended with code {code}: {self._told()}")
        must(not (self.data / "running.json").exists(), "a clean end left running.json behind")
        must(not (self.data / "events.db-wal").exists(), "a clean end left events in the write-ahead log")
        self._await_gone()

    def kill(self) -> None:
        """End the launcher, or the program where there is none, without warning: port and processes must be gone."""
        process = self._running()
        process.kill()
        process.wait(PATIENCE)
        self._await_gone()

    def _await_gone(self) -> None:
        await_true(lambda: not self._family(), "a process lives on")
        must(not self.answers(), "the port is still held")

    def close(self) -> None:
        """Leave nothing running and nothing lying about."""
        for one in self._family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE)
        shutil.rmtree(self.home, ignore_errors=True)

    def _running(self) -> "subprocess.Popen[bytes]":
        must(self._process, "it was not started")
        assert self._process is not None
        return self._process

    def _family(self) -> set[int]:
        """The processes of this system that run it over our folder: wine shows each as one of its own."""
        wanted = self.windows(self.data).encode()
        found = set()
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if wanted in place.read_bytes().split(b"\0"):
                    found.add(int(place.parent.name))
        return found

    def _told(self) -> str:
        log = self.data / "logs" / "hookport.log"
        return log.read_text(encoding="utf-8", errors="replace")[-1500:] if log.is_file() else ""


Installed = TypeVar("Installed", bound=Installation)


@contextlib.contextmanager
def installation(kind: type[Installed], program: Path) -> Iterator[Installed]:
    """Set up, and nothing left of it afterwards."""
    made = kind(program, PREFIX / "drive_c")
    made.set_up()
    try:
        yield made
    finally:
        made.close()


def _live_through(installed: Installation, kind: str, report: Report) -> None:
    report.add(f"{kind}: first start to listening", installed.start(), "s")
    for number in range(EVENTS):
        installed.post(number)
    await_true(lambda: len(list(installed.inbox.glob("*.json"))) == EVENTS, "the folder destination did not get every event")
    backlog = installed.status()["backlog"]
    must(backlog["outbox"] == EVENTS, f"{EVENTS} deliveries should wait for the dead destination: {backlog}")
    second = run_wine(installed.command(), seconds=PATIENCE)
    must(second.returncode == RUNNING_ALREADY, f"a second one over the same folder ended with code {second.returncode}")
    installed.interrupt()

    destination = Destination(port=installed.sink).start()
    try:
        report.add(f"{kind}: second start to listening", installed.start(), "s")
        await_true(lambda: len(destination.got) >= EVENTS, "the backlog did not outlive the restart")
        installed.post(EVENTS)
        await_true(lambda: len(destination.got) > EVENTS, "a new event was not delivered")
        installed.kill()
        installed.start()
        must(installed.status()["running"], "it does not run after its launcher was killed")
        installed.interrupt()
    finally:
        destination.stop()
    bodies = {got.body for got in destination.got}
    must(len(bodies) == EVENTS + 1, f"{EVENTS + 1} different events should have arrived, and {len(bodies)} did")


def await_true(true: Callable[[], object], words: str, *, told: Callable[[], str] = str) -> None:
    """Wait for it, as long as wine on a busy machine may take. Raises FailedError with these words."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        must(time.monotonic() < deadline, f"{words}. {told()}".strip())
        time.sleep(0.1)

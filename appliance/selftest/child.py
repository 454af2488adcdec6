"""The agent or proxy under test: this same program, as a child, over a data folder of its own."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.data_folder import DataFolder
from appliance.frozen import own_command
from appliance.running import read_running
from appliance.selftest.report import CheckError, must

if sys.platform == "win32":
    from appliance.selftest.interrupt_windows import OWN_CONSOLE, interrupt
else:
    OWN_CONSOLE = 0

PATIENCE = 60.0  # for each step: a slow disk, a virus scanner that reads every new file


class Child:
    """A data folder, and commands on it."""

    def __init__(self, folder: Path, *, role: str = "agent") -> None:
        """`role`: agent or proxy."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.role = role
        self.data = DataFolder(path=folder / "data")
        self.port = free_port()
        self.page = ""
        self._file = folder / "hookport.toml"
        self._log = folder / "hookport.log"
        self._command = [*own_command(), *(["proxy"] if role == "proxy" else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, text: str) -> Path:
        """Write the configuration file."""
        self._file.write_text(text, encoding="utf-8")
        return self._file

    def start(self) -> None:
        """Start it, and wait until it answers on the page's port."""
        options = ["--data-dir", str(self.data.path), "--admin", "127.0.0.1:0", "--config", str(self._file), "--no-browser"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [*self._command, "run", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                creationflags=OWN_CONSOLE,
            )
        await_true(self._is_up, f"the {self.role} did not start", told=self.told)

    def _is_up(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise CheckError(f"the {self.role} ended with code {self._process.returncode}: {self.told()}")
        running = read_running(self.data)
        self.page = running.page if running else ""
        return running is not None

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """A command's stdout. Raises CheckError unless it ends with one of the codes."""
        done = subprocess.run(  # noqa: S603 - this program itself
            [*self._command, *arguments, "--data-dir", str(self.data.path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        told = done.stderr.decode("utf-8", "replace").strip()[-500:]
        must(done.returncode in codes, f"`{arguments[0]}` ended with code {done.returncode}: {told}")
        return done.stdout.decode("utf-8", "replace")

    def json(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        """A command's answer."""
        return json.loads(self.run(*arguments, "--json", codes=codes))

    def stop(self) -> None:
        """Ask it to end. Raises CheckError unless it does so cleanly."""
        process = self._process
        if process is None:
            return
        if sys.platform == "win32":
            interrupt(process.pid, command=own_command())
        else:
            process.terminate()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise CheckError(f"the {self.role} did not end when it was asked to") from None
        must(code == 0, f"the {self.role} ended with code {code}: {self.told()}")
        must(read_running(self.data) is None, "a clean end left running.json behind")

    def close(self) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def told(self) -> str:
        """Its last words."""
        with contextlib.suppress(OSError):
            return self._log.read_text(encoding="utf-8", errors="replace").strip()[-1500:]
        return ""


@contextmanager
def child(folder: Path, *, role: str = "agent") -> Iterator[Child]:
    """An agent or proxy that runs no longer than the block."""
    made = Child(folder, role=role)
    try:
        yield made
    finally:
        made.close()


def await_true(true: Callable[[], object], words: str, *, told: Callable[[], str] = str) -> None:
    """Return once it is true. Raises CheckError with the words after a minute."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        must(time.monotonic() < deadline, f"{words}. {told()}".strip())
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_native(path: Path) -> str:
    """A path as a TOML string."""
    return json.dumps(os.fspath(path))

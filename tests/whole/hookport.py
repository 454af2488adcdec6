"""The program under test: the real process, driven as a person and a sender would."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

if sys.platform == "win32":
    from appliance.selftest.interrupt_windows import OWN_CONSOLE, interrupt
else:
    OWN_CONSOLE = 0

COMMAND = [sys.executable, "-c", "from appliance.command import main; raise SystemExit(main())"]
HURRIED = [sys.executable, "-m", "tests.whole.hurried"]
ROOT = Path(__file__).resolve().parents[2]


class Hookport:
    """One data folder, and the process over it, started and ended as often as a test likes."""

    def __init__(self, folder: Path, *, port: int, admin: int, environment: Mapping[str, str] | None = None) -> None:
        self.data = folder / "data"
        self.config = folder / "hookport.toml"
        self.port = port
        self.admin = admin
        self.environment = {**os.environ, "PYTHONWARNINGS": "error", **(environment or {})}
        self.process: subprocess.Popen[str] | None = None
        self.command = COMMAND  # or HURRIED: the process whose chores a test waits for
        self._folder = folder

    def configure(self, touchpoints: str, *, agent: str = "") -> None:
        """Write the configuration file: direct mode on loopback, and these touchpoints."""
        self.config.write_text(
            f'[agent]\nmode = "direct"\nhost_public_url = "http://127.0.0.1:{self.port}"\nlisten = "127.0.0.1"\n'
            f"port = {self.port}\n{agent}\n{touchpoints}\n",
            encoding="utf-8",
        )

    def start(self, *arguments: str, wait: bool = True) -> None:
        """Start the process, and wait until it says that it runs."""
        log = (self._folder / "stderr.log").open("ab")
        self.process = subprocess.Popen(
            [*self.command, "run", "--data-dir", str(self.data), "--admin", f"127.0.0.1:{self.admin}", "--no-browser"]
            + (["--config", str(self.config)] if self.config.exists() else [])
            + list(arguments),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=self.environment,
            creationflags=OWN_CONSOLE,
        )
        log.close()
        if wait:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                if "stop with" in line:
                    return
            self._ended(15)
            raise AssertionError(f"it did not start: {self.stderr()}")

    def stop(self) -> int:
        """Ask it to end, as a service manager would; the exit code."""
        assert self.process is not None
        if sys.platform == "win32":
            interrupt(self.process.pid, command=COMMAND)
        else:
            self.process.send_signal(signal.SIGTERM)
        return self._ended(15)

    def kill(self) -> None:
        """End it without warning."""
        assert self.process is not None
        self.process.kill()
        self._ended(15)

    def close(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def _ended(self, seconds: float) -> int:
        assert self.process is not None
        code = self.process.wait(seconds)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on the data folder."""
        return subprocess.run(
            [*COMMAND, *arguments, "--data-dir", str(self.data)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Run a command with --json and read its answer."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def url(self, name: str) -> str:
        """The endpoint URL of a touchpoint."""
        return f"http://127.0.0.1:{self.port}/hooks/{name}"

    def api(self) -> httpx.Client:
        """A client of the local API with this start's token."""
        token = (self.data / "machine.token").read_text()
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.admin}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=30
        )

    def status(self) -> Any:
        """The status, by the API."""
        with self.api() as api:
            return api.get("/status").json()

    def settled(self, *, seconds: float = 30.0) -> Any:
        """Wait until inbox and outbox are empty."""
        return self.await_status(lambda status: status["backlog"]["inbox"] == status["backlog"]["outbox"] == 0, seconds=seconds)

    def await_status(self, true: Any, *, seconds: float = 30.0) -> Any:
        """Wait until the status satisfies a condition; the status."""
        deadline = time.monotonic() + seconds
        while True:
            status = None
            with contextlib.suppress(httpx.HTTPError):
                status = self.status()
            if status is not None and true(status):
                return status
            assert time.monotonic() < deadline, f"not reached: {status} {self.stderr()[-3000:]}"
            time.sleep(0.05)

    def stderr(self) -> str:
        """What it said."""
        return (self._folder / "stderr.log").read_text(encoding="utf-8", errors="replace")

"""The hosted proxy under measurement: a data folder of its own, its settings, and the running process."""

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.children import BenchError, running
from tests.bench.subject import HOOKPORT
from tests.free_port import free_port

ROOM = 8  # bytes of quota, in GiB, so that no load fills it

SELECT_LANES = "SELECT coalesce(sum(events), 0) FROM lanes"


class ProxyProcess:
    """One `hookport proxy` with one way in, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self._admin = free_port()
        self._file = folder / "proxy.toml"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._configure()

    @property
    def url(self) -> str:
        """Where senders and agents reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        """The operator's page."""
        return f"http://127.0.0.1:{self._admin}"

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Run for as long as the block takes."""
        options = ["--data-dir", str(self.data), "--admin", f"127.0.0.1:{self._admin}", "--config", str(self._file)]
        command = [*HOOKPORT, "proxy", "run", *options, "--no-browser"]
        log = self.folder / "proxy.log"
        with running(command, log=log, ready=f"{self.url}/health", seconds=120) as self.process:
            yield
        self.process = None

    def command(self, *arguments: str) -> list[str]:
        """A command about it."""
        return [*HOOKPORT, "proxy", *arguments, "--data-dir", str(self.data)]

    def waiting(self) -> int:
        """How many events wait in its queue, of all organisations."""
        with contextlib.closing(self._read()) as db:
            return int(db.execute(SELECT_LANES).fetchone()[0])

    def await_empty(self, *, seconds: float = 300.0) -> None:
        """Return once everything was pulled and acknowledged."""
        deadline = time.monotonic() + seconds
        with contextlib.closing(self._read()) as db:
            while db.execute(SELECT_LANES).fetchone()[0]:
                if time.monotonic() > deadline:
                    raise BenchError(f"the proxy's queue was not pulled empty in {seconds:.0f} s")
                time.sleep(0.01)

    def _read(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{(self.data / 'queue.db').as_uri()}?mode=ro", uri=True, timeout=10)

    def _configure(self) -> None:
        lines = [
            "[server]",
            f'public_url = "{self.url}"',
            'listen = "127.0.0.1"',
            f"port = {self.port}",
            'trusted_proxies = ["127.0.0.1"]',  # or one address may open no more than its share of connections
            "quota_events = 10_000_000",
            f'quota_bytes = "{ROOM}GiB"',
        ]
        self._file.write_text("\n".join(lines) + "\n", encoding="utf-8")

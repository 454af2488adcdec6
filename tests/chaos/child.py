"""Roles as processes of their own, begun in a moment and killed as often as a case likes."""

import asyncio
import multiprocessing
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.launcher import KILLED, launch

# From a process that has imported everything already: there one begins within a tenth of a second.
if sys.platform == "win32":
    _CONTEXT = multiprocessing.get_context("spawn")
else:
    _CONTEXT = multiprocessing.get_context("forkserver")
    _CONTEXT.set_forkserver_preload(["tests.chaos.launcher"])

Launch = Callable[[str, Path, Path, int], None]  # role, folder, log, last step


class Child:
    """An agent or a proxy over a data folder."""

    def __init__(self, role: str, folder: Path, *, port: int = 0, launch: Launch = launch) -> None:
        """`port`: where a proxy listens; `launch`: how it begins."""
        self.role = role
        self.folder = folder
        self.log = folder.with_suffix(".log")
        self._port = port
        self._launch = launch
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self, *, last: int = 0) -> None:
        """Begin; it ends by itself at step `last`."""
        self._process = _CONTEXT.Process(target=self._launch, args=(self.role, self.folder, self.log, last), daemon=True)
        self._process.start()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.is_alive()

    @property
    def struck(self) -> bool:
        """Whether it ended at its step. Raises AssertionError where it ended otherwise by itself."""
        assert self._process is not None
        code = self._process.exitcode
        assert code in (None, KILLED), f"{self.role} ended with {code}: {self.said()[-3000:]}"
        return code == KILLED

    async def ready(self) -> bool:
        """Wait until a proxy listens, or ended at its step; whether it listens."""
        async with asyncio.timeout(20):
            while not self.struck:
                with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 0.5):
                    return True
                await asyncio.sleep(0.02)
        return False

    async def kill(self) -> None:
        """SIGKILL, or what stands for it."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join, 20)
        self._process = None

    async def stop(self) -> None:
        """As a service manager does, on POSIX."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.join, 20)
        self._process = None

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

"""A disk that fails at any commit, and a process that dies before or after one."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from store.sqlite.database import InlineDatabase, Opener
from tests.simulation.loop import NODE

T = TypeVar("T")
Changed = Callable[[str, str, sqlite3.Connection], None]


class Disk:
    """What decides about each commit of each node."""

    def __init__(self, fate: Any, crash: Callable[[str], None], changed: Changed) -> None:
        """`changed` is told of each work that changed something: whose, the name of the file, and the connection."""
        self.fate = fate
        self.crash = crash
        self.changed = changed
        self.dead: set[str] = set()
        self.spared: set[str] = set()  # lives that nothing befalls while they begin
        self.open: dict[str, list[SimDatabase]] = {}


class SimDatabase:
    """A Database, inline in the loop, whose works may fail or be the last."""

    disk: Disk  # of the run; set before anything is opened

    def __init__(self, node: str, file: str, connection: sqlite3.Connection) -> None:
        self._node = node
        self._file = file
        self._changes = connection.total_changes
        self._connection = connection
        self._inner = InlineDatabase(connection)
        self.disk.open.setdefault(node, []).append(self)

    @classmethod
    async def open(cls, opener: Opener) -> "SimDatabase":
        """As the real ones open."""
        connection = opener()
        connection.execute("PRAGMA synchronous = OFF")  # a crash here is one of the process, and fsync takes its time
        return cls(NODE.get(), opener.path.name, connection)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """See Database."""
        self._must_live()
        fate = self.disk.fate
        if self._node in self.disk.spared:
            return await self._work(work)
        if fate.happens(fate.failures, "a commit failed"):
            raise _io_error()
        if fate.happens(fate.crashes, "crash before a commit"):
            await self._die()
        result = await self._work(work)
        if fate.happens(fate.crashes, "crash after a commit"):
            await self._die()
        return result

    async def close(self) -> None:
        """See Database."""
        await self._inner.close()

    def drop(self) -> None:
        """The process is gone, and with it what was not committed."""
        if self._inner._connection is not None:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.close()
            self._inner._connection = None

    async def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._inner.run(work)
        finally:
            if self._connection.total_changes != self._changes:
                self._changes = self._connection.total_changes
                self.disk.changed(self._node, self._file, self._connection)

    def _must_live(self) -> None:
        if self._node in self.disk.dead:
            raise asyncio.CancelledError

    async def _die(self) -> None:
        self.disk.crash(self._node)
        await asyncio.get_running_loop().create_future()  # what comes after never comes


def _io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error.sqlite_errorname = "SQLITE_IOERR"
    return error

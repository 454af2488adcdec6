"""A disk that fails from the n-th write on, whichever it is, until it is well again: full, read-only, or broken."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.found import Found
from tests.chaos.scene import Scene, scene

EACH = 3  # events of a round
MOST = 400  # writes: a round has fewer
ILL = 0.15  # seconds at least that the disk stays so
WORDS = {
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_READONLY: "attempt to write a readonly database",
    sqlite3.SQLITE_IOERR: "disk I/O error",
}
WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT", "CREATE", "PRAGMA wal_checkpoint", "PRAGMA incremental_vacuum")


class Disk:
    """Of one folder. `arm` lets it fail at its n-th write; every write after that fails too, until `heal`."""

    def __init__(self, folder: Path, code: int) -> None:
        self.folder = folder.resolve()
        self.code = code
        self.ill = False
        self._left = 0

    def arm(self, nth: int) -> None:
        """Fail at this one, counted from now; 0: not at all."""
        self._left = nth

    def heal(self) -> None:
        """As if somebody had made room."""
        self.ill, self._left = False, 0

    def write(self, path: str) -> None:
        """A write begins. Raises sqlite3.OperationalError."""
        if not Path(path).resolve().is_relative_to(self.folder):
            return
        if self._left:
            self._left -= 1
            self.ill = self._left == 0
        if self.ill:
            error = sqlite3.OperationalError(WORDS[self.code])
            error.sqlite_errorcode = self.code
            raise error


@contextmanager
def on(disk: Disk) -> Iterator[None]:
    """Every database that is opened meanwhile stands on it, where its folder is the disk's."""

    class Connection(sqlite3.Connection):
        path = ""

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql.lstrip().startswith(WRITES):
                disk.write(self.path)
            return super().execute(sql, *parameters)

        def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            disk.write(self.path)
            return super().executemany(sql, *parameters)

    real = sqlite3.connect

    def connect(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        made: Connection = real(database, *arguments, factory=Connection, **options)
        made.path = str(database)
        return made

    sqlite3.connect = connect  # type: ignore[assignment]  # with every argument passed on
    try:
        yield
    finally:
        sqlite3.connect = real


async def both(folder: Path, *, code: int, strides: tuple[int, int] = (1, 1)) -> Found:
    """The agent's disk, then the proxy's."""
    found = Found()
    for role, stride in zip(("one", "proxy"), strides, strict=True):
        found.add(await faulty(folder / f"{role} fails", code=code, role=role, stride=stride))
    return found


async def faulty(folder: Path, *, code: int, role: str, stride: int = 1) -> Found:
    """At the 1st, 2nd, 3rd … write of a round, until a round has fewer: `role` is `proxy` or `one`, the agent."""
    disk, struck = Disk(folder / role, code), 0
    with on(disk):
        async with scene(folder) as made:
            house = await made.settle()
            sender = made.sender(house)
            await sender.insist(1)
            await made.ledger.arrived()
            for nth in range(1, MOST, stride):
                if not await _round(made, disk, nth):
                    break
                struck += 1
            found = await made.ledger.judge(waiting=made.waiting, excused=role == "one")
            kept = await house.events()
            found.must("refused" not in kept.values(), "an event that was signed came out refused")
            found.must(struck >= 2, f"it failed at {struck} writes only")
            found.must(made.site.role.opened.usable, "a file that is whole was given up")
            found.notes.append(f"failed at {struck} writes, {made.ledger.refused[503]} answered 503")
            return found


async def _round(made: Scene, disk: Disk, nth: int) -> bool:
    """Whether it struck. Afterwards the disk is well, and everything that was promised has arrived."""
    sender = made.sender(made.houses[0])
    disk.arm(nth)
    posting = asyncio.ensure_future(sender.insist(EACH))
    deadline = time.monotonic() + 30
    while not disk.ill and time.monotonic() < deadline and not (posting.done() and not made.ledger.missing):
        await asyncio.sleep(0.005)
    for _ in range(20):  # acknowledgement and settlement come after
        if disk.ill:
            break
        await asyncio.sleep(0.02)
    struck = disk.ill
    if struck:
        await asyncio.sleep(ILL)
    disk.heal()
    await posting
    await made.ledger.arrived(seconds=20)
    return struck

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.hops import lane as lane_module
from appliance.hops import pace as pace_module
from store.inbox import StoreUnavailable
from store.sqlite.database import AiosqliteDatabase, Database, Opener
from tests.appliance.stage import Stage, destination, stage, touchpoint, until
from tests.store.make import arrival

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Trouble:
    """Fails the n-th work of the writer, before it has begun or after it was committed."""

    def __init__(self, nth: int, code: int, *, committed: bool) -> None:
        self.armed = False
        self.struck = False
        self._left = nth
        self._code = code
        self._committed = committed

    async def open(self, opener: Opener) -> Database:
        database = await AiosqliteDatabase.open(opener)
        return Troubled(database, self) if opener.writer else database

    def comes(self) -> bool:
        self._left -= self.armed
        if self.struck or self._left:
            return False
        self.struck = True
        return True

    async def strike(self, database: Database, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._committed:
            await database.run(work)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = self._code
        raise error


class Troubled:
    """A writer's connection with trouble."""

    def __init__(self, database: Database, trouble: Trouble) -> None:
        self._database = database
        self._trouble = trouble

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._trouble.comes():
            return await self._trouble.strike(self._database, work)
        return await self._database.run(work)

    async def close(self) -> None:
        await self._database.close()


async def send(play: Stage, number: int, body: bytes = b"{}") -> None:
    """An ordinary sender: what got no 2xx is sent again."""
    while True:
        try:
            await play.file.inbox.put(arrival(number, body))
        except StoreUnavailable:
            await asyncio.sleep(0.005)
        else:
            play.drain.pace.wake()
            return


@pytest.mark.parametrize("committed", [False, True], ids=["nothing stored", "stored, yet reported as failed"])
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL], ids=["io error", "full"])
async def test_whichever_commit_fails_everything_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, committed: bool
) -> None:
    """The first, the second, the third … commit fails, until a run has fewer: each time all that was accepted arrives,
    nothing is stuck, and every hop lives on."""
    monkeypatch.setattr(pace_module, "LONGEST_REST", 0.02)
    monkeypatch.setattr(lane_module, "LONGEST_REST", 0.02)
    struck = 0
    for nth in itertools.count(1):
        trouble = Trouble(nth, code, committed=committed)
        folder = tmp_path / str(nth)
        folder.mkdir()
        both = touchpoint(destinations=[destination(1), destination(2)])
        async with stage(folder, both, open_database=trouble.open) as play:
            trouble.armed = True
            await asyncio.gather(*(send(play, number) for number in range(1, 5)))
            await play.settled()
            assert set((await play.states()).values()) == {"delivered"}
            for number in (1, 2):
                assert set(play.sender(number).numbers) == {1, 2, 3, 4}
                assert len(set(play.sender(number).ids)) == 4
            await until(lambda play=play: play.file.state == "ready")  # type: ignore[misc]
        if not trouble.struck:
            break
        struck += 1
    assert struck >= 3

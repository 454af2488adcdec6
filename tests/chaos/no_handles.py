"""A program whose file handles something else takes: it promises nothing it cannot keep, says why, and goes on afterwards."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.found import Found
from tests.chaos.ledger import Sender
from tests.chaos.limits import PATIENCE, Limited, limited
from tests.verify.case import LeftOutError
from tests.whole.senders import github, touchpoint

if sys.platform != "win32":
    from tests.chaos.limits_posix import with_handles

IDLE = 4.5  # seconds after which a destination's idle connection is closed, so that the next delivery takes a handle
TOLD = {"listener_down", "destination_down"}  # what a person is told: at the door, and on the way out


class Starved:
    """An agent that delivers to an address and into a folder, a way to take its handles, and a sender that stays connected."""

    def __init__(self, made: Limited, client: httpx.AsyncClient, kept: httpx.AsyncClient) -> None:
        self._made = made
        self._folder = made.folder
        self._kept = kept
        self.files = made.folder / "files"
        self.told = made.folder / "leave"
        self.old = Sender(made.ledger, lambda: made.url, kept)
        self.new = Sender(made.ledger, lambda: made.url, client)
        self.into_files = 0  # promised

    async def starve(self, few: int, most: int) -> set[str]:
        """Leave it so few handles, post by old and new connections, and give all back; what a person was told of it."""
        await self.old.insist(2)
        await self._status()
        await self._made.ledger.arrived()
        await asyncio.sleep(IDLE)
        self.told.write_bytes(b"x" * (few + 1))
        async with asyncio.timeout(PATIENCE):
            while self._made.open_handles() < most - few:
                await asyncio.sleep(0.01)
        await self.old.post(3)
        await self._file(few)
        await self._knock(few + 2)
        codes = await self._codes(TOLD if not few else set())
        self.told.unlink()
        async with asyncio.timeout(PATIENCE):
            await self.new.insist(2, pause=0.2)
        return codes

    async def settles(self) -> bool:
        """Whether nothing waits any more, and nothing needs a person."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    status = await self._status()
                    if not (status["backlog"]["inbox"] or status["backlog"]["outbox"] or TOLD & _codes_of(status)):
                        return True
                    await asyncio.sleep(0.1)
        return False

    async def _knock(self, count: int) -> None:
        """Come by new connections, which the system takes and nobody looks at, and wait a second each."""
        async with httpx.AsyncClient(timeout=1, trust_env=False) as hasty:
            hurried = Sender(self._made.ledger, lambda: self._made.url, hasty)
            await asyncio.gather(*[hurried.post() for _ in range(count)])

    async def _file(self, number: int) -> None:
        body = b'{"files": %d}' % number
        url = self._made.url.replace("orders", "files")
        with contextlib.suppress(httpx.HTTPError):
            answer = await self._kept.post(url, content=body, headers=github(body, f"f{number}"))
            self.into_files += answer.is_success

    async def _codes(self, wanted: set[str]) -> set[str]:
        """What needs a person, once that is all that was wanted, or time is up."""
        codes: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE / 3):
                while not codes or not codes >= wanted:
                    with contextlib.suppress(httpx.HTTPError):
                        codes |= _codes_of(await self._status())
                    await asyncio.sleep(0.1)
                    if not wanted:
                        break
        return codes

    async def _status(self) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {(self._folder / 'data' / 'machine.token').read_text()}"}
        answer = await self._kept.get(f"http://127.0.0.1:{self._made.admin}/api/v1/status", headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def _codes_of(status: dict[str, Any]) -> set[str]:
    return {need["code"] for need in status["needs_you"] if "file handle" in need["text"]}


async def no_handles(folder: Path, *, leave: Sequence[int] = (0,), most: int = 192) -> Found:
    """All handles but so few are taken: what was promised waits, a person is told why, and all goes on afterwards."""
    if sys.platform == "win32":
        raise LeftOutError("Windows knows no such limit")
    else:  # noqa: RET506 - so that a check for Windows sees that the other is not there
        limit = with_handles(most)
    (folder / "files").mkdir()
    more = touchpoint("files", "-").replace('kind = "http"\nurl = "-"', f'kind = "folder"\npath = "{folder / "files"}"')
    limits = httpx.Limits(keepalive_expiry=300)
    async with limited(folder, more) as (made, client), httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as kept:
        await made.start([sys.executable, "-m", "tests.chaos.greedy", str(folder / "leave")], limit)
        starved, found = Starved(made, client, kept), Found()
        for few in leave:
            codes = await starved.starve(few, most)
            found.must(few or codes >= TOLD, f"told only {sorted(codes)}")
        found.must(await starved.settles(), "it did not go on")
        names = [one.name for one in (folder / "files").iterdir()]
        found.must(len(names) == starved.into_files, f"{names} in the folder, and {starved.into_files} promised")
        found.must("Traceback" not in (folder / "log").read_text(errors="replace"), "a traceback in its log")
        return await made.judged(client, found)

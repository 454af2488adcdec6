"""A program that is given too little: memory, file handles, or a disk that is slow. It says no, lives on, and loses nothing."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.bench.processes import most_resident, open_handles
from tests.chaos.executables import command, program
from tests.chaos.found import Found
from tests.chaos.ledger import BIG_FROM, HUGE_FROM, Ledger, Sender, open_sink
from tests.free_port import free_port
from tests.verify.case import LeftOutError
from tests.whole.hookport import COMMAND, ROOT
from tests.whole.senders import touchpoint

if sys.platform != "win32":
    from tests.chaos.limits_posix import with_handles, with_memory

MIB = 1024 * 1024
PATIENCE = 60.0
BUFFERS = 8 * MIB  # for bodies, of an agent whose disk is slow
GROWN = 112 * MIB  # that, what is queued for the disk, and what the system has taken in of the rest


class Limited:
    """An agent as a process of its own, in direct mode."""

    def __init__(self, folder: Path, sink: str, ledger: Ledger, more: str = "") -> None:
        self.folder = folder
        self.ledger = ledger
        self.port, self.admin = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/hooks/orders"
        self._file = folder / "hookport.toml"
        self._file.write_text(
            f'[agent]\nmode = "direct"\nhost_public_url = "http://127.0.0.1:{self.port}"\nlisten = "127.0.0.1"\n'
            f'port = {self.port}\n[retention]\nfree_disk = "0B"\n' + touchpoint("orders", sink, "", "concurrency = 4") + more,
            encoding="utf-8",
        )
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, command: list[str], limit: Callable[[], None] | None = None) -> None:
        """Begin, and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(*command, "run", "--data-dir", str(self.folder / "data"), "--config", str(self._file)),
                *("--admin", f"127.0.0.1:{self.admin}", "--no-browser"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                preexec_fn=limit,
            )
        deadline = time.monotonic() + PATIENCE
        while not await self.answers():
            assert self.process.returncode is None, f"it ended with {self.process.returncode}: {self.said()}"
            assert time.monotonic() < deadline, f"it does not listen: {self.said()}"
            await asyncio.sleep(0.1)

    async def answers(self) -> bool:
        """Whether the listener answers."""
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/health")).is_success
        return False

    async def page_answers(self) -> bool:
        """Whether the page answers."""
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
                return (await client.get(f"http://127.0.0.1:{self.admin}/")).status_code in {200, 302, 303, 307}
        return False

    def open_handles(self) -> int:
        """How many file handles it has, where the system tells."""
        assert self.process is not None
        return open_handles(self.process.pid)

    async def judged(self, client: httpx.AsyncClient, found: Found) -> Found:
        """Given all it needs again it lives, takes an event, and delivers everything it promised."""
        assert self.process is not None
        found.must(self.process.returncode is None, f"it ended with {self.process.returncode}")
        async with asyncio.timeout(PATIENCE):
            await Sender(self.ledger, lambda: self.url, client).insist(3, pause=0.2)
        found.add(await self.ledger.judge(excused=True, seconds=PATIENCE))
        refused = dict(self.ledger.refused)
        found.must(set(refused) <= {0, 503}, f"answered {refused}")
        found.notes.append(f"{len(self.ledger.accepted)} accepted, {refused.get(503, 0)} answered 503, {refused.get(0, 0)} not")
        return found

    def said(self) -> str:
        """The end of its log."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]

    async def close(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def limited(folder: Path, more: str = "") -> AsyncIterator[tuple[Limited, httpx.AsyncClient]]:
    """An agent that is not started, its destination, and a client. `more` is of its configuration."""
    ledger = Ledger()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with open_sink(ledger) as sink, httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
        made = Limited(folder, sink.url, ledger, more)
        try:
            yield made, client
        finally:
            await made.close()


async def memory(folder: Path, *, size: int = 256, bodies: int = 16, rounds: int = 1) -> Found:
    """Bodies of 25 MiB at once, in so little memory: each is taken or answered 503, and what was taken arrives whole."""
    if sys.platform == "linux":
        limit = with_memory(size * MIB)
    else:
        raise LeftOutError("Linux alone holds a process to so much memory")
    async with limited(folder) as (made, client):
        await made.start(list(command()), limit)
        one = Sender(made.ledger, lambda: made.url, client)
        for turn in range(rounds):
            await asyncio.gather(*[one.send(HUGE_FROM + turn * bodies + number) for number in range(bodies)])
        assert made.process is not None
        found = Found(notes=[f"{most_resident(made.process.pid) // MIB} MiB at most; {program()}"])
        found.must(not made.ledger.refused[0], f"{made.ledger.refused[0]} were not answered")
        return await made.judged(client, found)


async def handles(folder: Path, *, most: int = 192, rounds: int = 1) -> Found:
    """More strangers than file handles, at the public port and at the page: handles never run out, and nobody is unanswered."""
    if sys.platform == "win32":
        raise LeftOutError("Windows knows no such limit")
    else:  # noqa: RET506 - so that a check for Windows sees that the other is not there
        limit = with_handles(most)
    async with limited(folder) as (made, client):
        await made.start(COMMAND, limit)
        sender = Sender(made.ledger, lambda: made.url, client)
        found = Found()
        strangers = ((made.port, b"POST /hooks/orders HTTP/1.1\r\n"), (made.admin, b"GET / HTTP/1.1\r\n"))
        taken = []
        for _ in range(rounds):
            await sender.insist(5)
            await made.ledger.arrived()
            with contextlib.ExitStack() as stack:
                for place, line in strangers * most:
                    with contextlib.suppress(OSError):
                        one = stack.enter_context(socket.create_connection(("127.0.0.1", place), 2))
                        one.sendall(line)
                        taken.append(made.open_handles())
                await sender.post(3)
                found.must(await made.page_answers(), "the page did not answer")
            await sender.insist(5, pause=0.2)
        found.notes.append(f"{max(taken)} handles of {most} at most")
        found.must(made.ledger.refused[0] == 0, "a sender was not answered")
        found.must(max(taken) < most, "they ran out")
        return await made.judged(client, found)


async def slow_disk(folder: Path, *, seconds: float = 0.5, senders: int = 100, rounds: int = 1) -> Found:
    """Commits take their time: answers are slower, then 503, none is missing, and memory stays within bounds.

    What comes at once is a multiple of what may be held, so that a program without that bound could not stay within it.
    """
    async with limited(folder, f'[limits]\nbuffers = "{BUFFERS // MIB}MiB"\nbody = "4MiB"\n') as (made, client):
        await made.start([sys.executable, "-m", "tests.chaos.slowed", str(seconds)])
        assert made.process is not None
        one = Sender(made.ledger, lambda: made.url, client)
        await one.insist(1)
        before = most_resident(made.process.pid)
        slowest = 0.0

        async def send(number: int) -> None:
            nonlocal slowest
            began = time.monotonic()
            if await one.send(number):
                slowest = max(slowest, time.monotonic() - began)

        for turn in range(rounds):
            await asyncio.gather(*[send(BIG_FROM + turn * senders + number) for number in range(senders)])
        grown, refused = most_resident(made.process.pid) - before, dict(made.ledger.refused)
        found = Found(notes=[f"{grown // MIB} MiB more", f"the slowest 2xx took {slowest:.1f} s"])
        found.must(slowest > 4 * seconds, f"the slowest answer took {slowest:.1f} s")
        found.must(refused.get(503), "nobody was answered 503")
        found.must(not refused.get(0), f"{refused.get(0)} were not answered")
        found.must(grown < GROWN, f"it took {grown // MIB} MiB more")
        return await made.judged(client, found)

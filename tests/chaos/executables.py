"""The real program under kill -9: proxy and agent, as a person starts them, at random moments while a sender posts."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

import httpx

from tests.chaos.found import Found
from tests.chaos.ledger import Ledger, Sender, open_sink
from tests.free_port import free_port
from tests.whole.hookport import COMMAND, ROOT
from tests.whole.senders import touchpoint

PATIENCE = 60.0  # seconds for a start, or for the last delivery
FOLDER_BUILD = ROOT / "dist" / {"darwin": "macos"}.get(sys.platform, "linux") / "hookport-folder" / "hookport"
PARTS = ("appliance", "store", "touchpoints", "web")
_NO_FLOOR = '[retention]\nfree_disk = "0B"\n'
LIVES = (0.05, 1.8)  # seconds between two kills: some fall into a start
WORKING = 0.5  # so many kills are of a program that has begun to answer, however slow the machine is


@cache
def command(build: Path = FOLDER_BUILD, *, root: Path = ROOT) -> Sequence[str]:
    """The folder build where there is one of this code (it is younger than each source), else the program in this Python."""
    sources = (source for part in PARTS for source in (root / part).rglob("*.py"))
    usable = sys.platform != "win32" and build.is_file()
    fresh = usable and build.stat().st_mtime > max(source.stat().st_mtime for source in sources)
    return (str(build),) if fresh else COMMAND


def program() -> str:
    """Which of both, for who reads what was found."""
    return "the program in this Python" if command() is COMMAND else "the folder build"


class Program:
    """One role over its folder, started as often as it was killed."""

    def __init__(self, folder: Path, name: str, options: Sequence[str]) -> None:
        self.folder = folder / name
        self.environment: Mapping[str, str] = {}  # beside our own, from the next start on
        self.limit: Callable[[], None] | None = None
        self._log = folder / f"{name}.log"
        self._options = list(options)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin; it is not waited for."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command(),
                *self._options,
                *("--data-dir", str(self.folder), "--admin", "127.0.0.1:0", "--no-browser"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                preexec_fn=self.limit,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def ended(self, *, seconds: float) -> bool:
        """Whether it ends by itself within so many seconds."""
        assert self._process is not None
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            return False
        self._process = None
        return True

    async def kill(self) -> None:
        """SIGKILL, or what stands for it. Raises AssertionError where it had ended by itself."""
        process, self._process = self._process, None
        if process is not None:
            assert process.returncode is None, f"it ended with {process.returncode}: {self.said()[-2000:]}"
            process.kill()
            await process.wait()

    async def tell(self, *arguments: str) -> str:
        """A command on its folder; its stdout."""
        done = await asyncio.create_subprocess_exec(
            *(*command(), *arguments, "--data-dir", str(self.folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        out, err = await done.communicate()
        assert done.returncode == 0, err.decode(errors="replace")
        return out.decode()

    def said(self) -> str:
        """Its log."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""


class Both:
    """A proxy, its only agent, which listens itself as well, and who posts to both."""

    def __init__(
        self, folder: Path, ledger: Ledger, sink: str, *, more: str = "concurrency = 8", kept: str = _NO_FLOOR
    ) -> None:
        port, own = free_port(), free_port()
        self.proxy_url, self.own_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}/hooks/orders"
        self.ledger = ledger
        self.url = ""
        settings = folder / "hookport.toml"
        settings.write_text(
            f'[agent]\nmode = "both"\nhost_public_url = "http://127.0.0.1:{own}"\nlisten = "127.0.0.1"\nport = {own}\n'
            + kept
            + touchpoint("orders", sink, "", more),
            encoding="utf-8",
        )
        where = ("--listen", f"127.0.0.1:{port}", "--public-url", self.proxy_url)
        self.proxy = Program(folder, "proxy", ("proxy", "run", *where))
        self.agent = Program(folder, "agent", ("run", "--config", str(settings)))

    async def begin(self, client: httpx.AsyncClient) -> None:
        """Start, pair, and wait until both URLs are answered."""
        await self.proxy.start()
        await until(lambda: answers(client, f"{self.proxy_url}/health"))
        code = (await self.proxy.tell("proxy", "org", "add", "acme")).split()[-1]
        await self.agent.start()
        await until(lambda: answers(client, self.own_url))
        await self.agent.tell("pair", code, "--proxy", self.proxy_url, "--name", "one")
        async with asyncio.timeout(PATIENCE):
            while not self.url:
                told = httpx.Response(200, text=await self.agent.tell("touchpoint", "list", "--json")).json()
                self.url = told["touchpoints"][0]["endpoint_urls"]["proxy"] or ""
        await until(lambda: answers(client, self.url))

    async def close(self) -> None:
        """Leave nothing running."""
        for one in (self.proxy, self.agent):
            await one.kill()


@asynccontextmanager
async def both_of(
    folder: Path, *, proxy_limit: Callable[[], None] | None = None
) -> AsyncIterator[tuple[Both, httpx.AsyncClient]]:
    """Both, started and paired."""
    ledger = Ledger()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with open_sink(ledger) as sink, httpx.AsyncClient(timeout=20, trust_env=False, limits=limits) as client:
        made = Both(folder, ledger, sink.url)
        made.proxy.limit = proxy_limit
        try:
            await made.begin(client)
            yield made, client
        finally:
            await made.close()


async def storm(folder: Path, *, kills: int, seed: int = 1) -> Found:
    """So many kills of one or the other. What was answered 2xx runs; what runs again runs as the same event."""
    chance = random.Random(seed)
    async with both_of(folder) as (both, client):
        senders = [Sender(both.ledger, lambda url=url: url, client) for url in (both.url, both.own_url)]  # type: ignore[misc]
        posting = [asyncio.ensure_future(one.keep_posting(pause=0.004)) for one in senders]
        try:
            for _ in range(kills):
                victim = chance.choice((both.proxy, both.agent))
                if chance.random() < WORKING:
                    url = both.url if victim is both.proxy else both.own_url
                    await until(partial(answers, client, url))
                await asyncio.sleep(chance.uniform(*LIVES))
                await victim.kill()
                await victim.start()
            await until(lambda: answers(client, both.url))
            await until(lambda: answers(client, both.own_url))
        finally:
            for task in posting:
                task.cancel()
            await asyncio.gather(*posting, return_exceptions=True)
        found = await both.ledger.judge(excused=True, seconds=PATIENCE)
        found.notes.append(f"{kills} kills, {sum(both.ledger.refused.values())} not answered or refused meanwhile; {program()}")
        return found


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    """Whether somebody is there: anything but silence, an unknown address, or not yet."""
    try:
        return (await client.get(url)).status_code in (200, 405)
    except httpx.HTTPError:
        return False


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await true():
        assert time.monotonic() < deadline, "it does not answer"
        await asyncio.sleep(0.05)

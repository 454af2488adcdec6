"""Crowds of strangers at a listener, while honest senders post and a person looks at the page."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.bench.person import signed_in
from tests.bench.processes import most_resident, open_handles
from tests.chaos.executables import both_of
from tests.chaos.found import Found
from tests.chaos.ledger import Ledger, Sender, body_of
from tests.chaos.limits import MIB, limited
from tests.chaos.smuggled import plain
from tests.chaos.strangers import KINDS
from tests.verify.case import LeftOutError
from tests.whole.hookport import COMMAND, ROOT

if sys.platform != "win32":
    from tests.chaos.limits_posix import most_handles, with_handles

SENDERS = 4
Waves = Sequence[Sequence[str]] | None  # kinds that come together; None: each by itself
PATIENCE = 120.0
GROWN = 400 * MIB  # buffers (64), unfinished requests (64, looked at each second), and ten thousand connections (160)
LONGEST = 10.0  # seconds for a screen: what a person stands; how soon it is there on a quiet machine, `bench attack` tells
SPARE = 24  # handles that may stay: of destinations, and of pages that look


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """A program under attack."""

    data: Path
    port: int
    path: str
    ledger: Ledger
    sender: Callable[[httpx.AsyncClient], Sender]
    alive: Callable[[], bool]

    @property
    def running(self) -> dict[str, Any]:
        """Its process and its page."""
        found: dict[str, Any] = json.loads((self.data / "running.json").read_text(encoding="utf-8"))
        return found


@dataclass(slots=True)
class Visitor:
    """A person who looks at the home screen, and a program that asks for the status."""

    taken: list[float] = field(default_factory=list)  # seconds to each answer
    wrong: Counter[str] = field(default_factory=Counter)

    async def look(self, page: str, data: Path, cookies: httpx.Cookies) -> None:
        """Look about, until cancelled."""
        token = {"authorization": f"Bearer {(data / 'machine.token').read_text()}"}
        async with httpx.AsyncClient(base_url=page, timeout=30, trust_env=False) as client:
            while True:
                for path, given in (("/", {"cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}), (_STATUS, token)):
                    began = time.monotonic()
                    try:
                        status = (await client.get(path, headers=given)).status_code
                    except httpx.HTTPError as error:
                        self.wrong[f"{path} {type(error).__name__}"] += 1
                    else:
                        self.taken.append(time.monotonic() - began)
                        if status != 200:
                            self.wrong[f"{path} {status}"] += 1
                await asyncio.sleep(0.1)


_STATUS = "/api/v1/status"


async def agent(folder: Path, *, handles: int, **attack: Any) -> Found:
    """At an agent's own port."""
    limit = _with(handles, attack["connections"])
    async with limited(folder) as (made, _):
        await made.start(COMMAND, limit)
        subject = Attacked(
            data=folder / "data",
            port=made.port,
            path=urlsplit(made.url).path,
            ledger=made.ledger,
            sender=lambda client: Sender(made.ledger, lambda: made.url, client),
            alive=lambda: made.process is not None and made.process.returncode is None,
        )
        return await _attacked(subject, **attack)


async def proxy(folder: Path, *, handles: int, **attack: Any) -> Found:
    """At a proxy's public port, while its agent pulls."""
    limit = _with(handles, attack["connections"])
    async with both_of(folder, proxy_limit=limit) as (both, _):
        place = urlsplit(both.url)
        subject = Attacked(
            data=folder / "proxy",
            port=place.port or 0,
            path=place.path,
            ledger=both.ledger,
            sender=lambda client: Sender(both.ledger, lambda: both.url, client),
            alive=lambda: both.proxy.alive,
        )
        return await _attacked(subject, **attack)


def _with(handles: int, connections: int) -> Callable[[], None]:
    if sys.platform != "linux":
        raise LeftOutError("it takes many addresses of loopback, which Linux alone has by itself")
    else:  # noqa: RET506 - so that a check for Windows sees that the other is not there
        if most_handles() < max(handles, connections + 500):
            raise LeftOutError(f"a process may have {most_handles()} handles here, and {connections} connections need more")
        return with_handles(handles)


async def _attacked(subject: Attacked, *, waves: Waves = None, seconds: float, connections: int) -> Found:
    """Waves of strangers from many addresses: each kind in turn, or these; then all at once, and so again from one address."""
    found, visitor = Found(), Visitor()
    process, page = subject.running["pid"], subject.running["page"].rstrip("/")
    cookies = await asyncio.to_thread(_signed_in, page, subject.data)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(kept=kept)) for kept in (0, SENDERS)]
        for client in clients:
            await subject.sender(client).insist(3)
        await _hidden_in_plain_sight(subject, found)
        before, rest = most_resident(process), open_handles(process)
        looking = asyncio.ensure_future(visitor.look(page, subject.data, cookies))
        posting = [asyncio.ensure_future(subject.sender(one).keep_posting()) for one in clients * (SENDERS // len(clients))]
        try:
            for kinds in [[kind] for kind in KINDS] if waves is None else waves:
                await _wave(subject, found, visitor, kinds, seconds=seconds, connections=connections)
            for one in (False, True):
                await _wave(subject, found, visitor, list(KINDS), seconds=seconds, connections=connections, one=one)
        finally:
            for task in (*posting, looking):
                task.cancel()
            await asyncio.gather(*posting, looking, return_exceptions=True)
    await _judge(subject, found, visitor)
    grown = most_resident(process) - before
    found.must(grown < GROWN, f"it took {grown // MIB} MiB more")
    left = await _left(process, rest)
    found.must(left <= rest + SPARE, f"{left} handles are open, and {rest} were")
    found.notes.append(f"{grown // MIB} MiB more; {left} handles, {rest} before")
    return found


async def _wave(
    subject: Attacked,
    found: Found,
    visitor: Visitor,
    kinds: Sequence[str],
    *,
    seconds: float,
    connections: int,
    one: bool = False,
) -> None:
    """Some seconds under attack, once all have come."""
    ledger = subject.ledger
    accepted, refused, looks = len(ledger.accepted), sum(ledger.refused.values()), len(visitor.taken)
    async with _strangers(subject, kinds, connections, one=one) as told:
        await asyncio.sleep(seconds)
    accepted, refused = len(ledger.accepted) - accepted, sum(ledger.refused.values()) - refused
    name = f"{kinds[0] if len(kinds) == 1 else f'{len(kinds)} kinds'}{', one address' if one else ''}"
    found.must(accepted > refused, f"{name}: {refused} of {accepted + refused} honest senders were refused")
    found.must(subject.alive(), f"{name}: it ended")
    longest = max(visitor.taken[looks:], default=0.0) * 1000
    found.notes.append(
        f"{name}: {refused} of {accepted + refused} refused beside {told['opened']} connections, {longest:.0f} ms for the page"
    )


@asynccontextmanager
async def _strangers(subject: Attacked, kinds: Sequence[str], connections: int, *, one: bool) -> AsyncIterator[dict[str, Any]]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.strangers", str(subject.port), subject.path, *kinds),
        *("--connections", str(connections), *(["--one"] if one else [])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    told: dict[str, Any] = {}
    try:
        assert await child.stdout.readline() == b"ready\n"
        yield told
        child.stdin.close()
        told |= json.loads(await child.stdout.readline())
        await asyncio.wait_for(child.wait(), PATIENCE)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _hidden_in_plain_sight(subject: Attacked, found: Found) -> None:
    """What smugglers hide is a true event: rightly parted from what is before it, it runs."""
    number = subject.ledger.take()
    reader, writer = await asyncio.open_connection("127.0.0.1", subject.port)
    writer.write(plain(subject.path, f"127.0.0.1:{subject.port}", body_of(number), "plain"))
    async with asyncio.timeout(PATIENCE):
        answers = [await reader.readuntil(b"\r\n\r\n") for _ in range(2)]
    writer.close()
    found.must(answers[1].startswith(b"HTTP/1.1 200"), f"the second was answered {answers[1]!r}")
    subject.ledger.accepted.add(number)


async def _judge(subject: Attacked, found: Found, visitor: Visitor) -> None:
    found.add(await subject.ledger.judge(seconds=PATIENCE))
    for body in subject.ledger.foreign:
        found.notes.append(f"ran: {body[:80]!r}")
    refused = dict(subject.ledger.refused)
    found.must(set(refused) <= {429, 503}, f"honest senders were answered {refused}")
    taken = sorted(visitor.taken) or [0.0]
    found.must(not visitor.wrong, f"the page: {dict(visitor.wrong)}")
    found.must(0 < taken[-1] < LONGEST, f"the page took {taken[-1]:.1f} s")
    late = taken[len(taken) * 95 // 100] * 1000
    found.notes.append(f"of {len(taken)} looks at the page 95 % took at most {late:.0f} ms, one {taken[-1] * 1000:.0f} ms")


async def _left(process: int, rest: int) -> int:
    deadline = time.monotonic() + 30
    while (left := open_handles(process)) > rest + SPARE and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return left


def _client(*, kept: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=kept)
    return httpx.AsyncClient(timeout=30, trust_env=False, limits=limits)


def _signed_in(page: str, data: Path) -> httpx.Cookies:
    with signed_in(page, data) as client:
        return client.cookies

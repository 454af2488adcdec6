"""Agents that wait: each polls a hosted proxy over a connection of its own, as signed as the real ones.

`python -m tests.bench.proxy_polls HOST PORT AGENTS.json` prints "ready" when every poll waits; when it is ended, how many polls
were answered and how many of those with other than 200. A poll waits as long as an agent's does; they end one after the other,
not all at once, because agents are not started at one moment either.
"""

import asyncio
import base64
import contextlib
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from appliance.hops.pull_pace import LONGEST_WAIT
from touchpoints.pull.body import encode
from touchpoints.pull.frames import FRAMES
from touchpoints.pull.message import PullRequest
from touchpoints.pull.proof import sign_request

PATH = "/v1/pull"
AT_ONCE = 32  # that connect, so that the start alone overruns nobody


class Poller:
    """One agent."""

    def __init__(self, agent: str, key: bytes, told: "Told") -> None:
        self._agent, self._key = agent, key
        self._told = told
        self._challenge, self._count = "none", time.time_ns() // 1000  # above those of a run before
        self._incarnation, self._epoch, self._after = "", 0, 0

    async def connect(self, host: str, port: int) -> None:
        """Take the lease."""
        self._host = host
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=1 << 14)
        await self._poll(0.0)  # learns the challenge
        head, _ = await self._poll(0.0)
        if head["epoch"] < 1:
            raise ValueError(f"{self._agent} has no lease")

    async def wait(self, first: float) -> None:
        """Poll until cancelled."""
        seconds = first
        while True:
            await self._poll(seconds)
            seconds = LONGEST_WAIT

    async def _poll(self, seconds: float) -> tuple[dict[str, int], int]:
        asked = PullRequest(incarnation=self._incarnation, epoch=self._epoch, after=self._after, wait=seconds)
        content = encode(asked)
        self._count += 1
        proof = sign_request(
            self._key,
            agent=self._agent,
            method="POST",
            path=PATH,
            challenge=self._challenge,
            count=self._count,
            body=content,
        )
        given = {"host": self._host, "accept": FRAMES, "user-agent": "1.0", **proof.headers(), "content-length": len(content)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self._told.waiting += 1
        self._writer.write(f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        status, headers, body = await self._answer()
        self._told.waiting -= 1
        self._told.statuses[status] += 1
        self._challenge = headers.get("hookport-challenge", self._challenge)
        if status != 200:
            return {"epoch": 0}, status
        head = json.loads(body[4 : 4 + int.from_bytes(body[:4])])
        self._incarnation, self._epoch = head["incarnation"], head["epoch"]
        return head, status

    async def _answer(self) -> tuple[int, dict[str, str], bytes]:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        return int(first.split()[1]), headers, await self._reader.readexactly(int(headers["content-length"]))


class Told:
    """What came of all polls."""

    def __init__(self) -> None:
        self.waiting = 0
        self.statuses: Counter[int] = Counter()


async def poll(host: str, port: int, keys: dict[str, bytes]) -> None:
    """Poll until SIGTERM."""
    if sys.platform != "win32":
        from appliance.handles_posix import allow_many_handles

        allow_many_handles()
    told = Told()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    turn = asyncio.Semaphore(AT_ONCE)
    pollers = [Poller(agent, key, told) for agent, key in keys.items()]

    async def begin(poller: Poller) -> None:
        async with turn:
            await poller.connect(host, port)

    await asyncio.gather(*[begin(poller) for poller in pollers])
    told.statuses.clear()
    step = LONGEST_WAIT / len(pollers)
    tasks = [asyncio.create_task(one.wait(1 + step * number)) for number, one in enumerate(pollers)]
    while told.waiting < len(pollers):
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    failing = asyncio.gather(*tasks)
    await asyncio.wait((failing, asyncio.ensure_future(ended.wait())), return_when=asyncio.FIRST_COMPLETED)
    print(json.dumps({"answered": told.statuses.total(), "others": told.statuses.total() - told.statuses[200]}), flush=True)
    if failing.done():
        failing.result()
    failing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await failing


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    asyncio.run(poll(sys.argv[1], int(sys.argv[2]), {agent: base64.b64decode(key) for agent, key in found.items()}))

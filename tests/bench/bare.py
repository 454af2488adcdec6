"""The bare loop: httpx over aiohttp, as fast as it goes. `python -m tests.bench.bare URL SECONDS WORKERS` prints the rate."""

import asyncio
import sys
import time

import httpx
from httpx_aiohttp import AiohttpTransport

from tests.bench.hook import body, headers


async def pump(url: str, seconds: float, workers: int) -> float:
    """Requests a second."""
    content = body()
    given = headers(content, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
    count = 0

    async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=30) as client:
        start = time.monotonic()

        async def work() -> None:
            nonlocal count
            while time.monotonic() < start + seconds:
                (await client.post(url, content=content, headers=given)).raise_for_status()
                count += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
        return count / (time.monotonic() - start)


if __name__ == "__main__":
    print(asyncio.run(pump(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))

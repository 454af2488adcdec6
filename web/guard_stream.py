"""A stream for as long as its reader is signed in: it was asked for once, and would go on after the session has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

EVERY = 10.0  # seconds between two looks


async def while_signed_in(stream: AsyncIterator[bytes], is_in: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    """Hand on a stream; before a part, at most every ten seconds, it is asked whether the reader still is signed in."""
    clock = asyncio.get_running_loop().time
    looked = clock()
    try:
        async for part in stream:
            if clock() - looked >= EVERY:
                if not await is_in():
                    return
                looked = clock()
            yield part
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # a generator

"""Whether a caller has hung up: an agent that is gone must not hold a lease by the pull it left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar.types import HTTPScope, Receive

from web.listener.connection import HANGS_UP


@asynccontextmanager
async def leaving(scope: HTTPScope, receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """A future that is done once the caller of a request, whose body was read, hangs up.

    An agent never closes only its sending side: for it that is the same.
    """
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    extensions: Any = scope.get("extensions") or {}
    if (hangs_up := extensions.get(HANGS_UP)) is not None:  # as at our listener, unless the caller has left already
        hangs_up["tell"](lambda: _hung_up(gone))
        yield gone
        return
    watching = asyncio.create_task(_watch(receive, gone))  # noqa: TID251 - held here until the request is answered
    try:
        yield gone
    finally:
        watching.cancel()
        await asyncio.wait((watching,))


async def _watch(receive: Receive, gone: asyncio.Future[None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _hung_up(gone)


def _hung_up(gone: asyncio.Future[None]) -> None:
    if not gone.done():
        gone.set_result(None)

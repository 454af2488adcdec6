"""Windows loses a listening socket: the accept loop fails, and dies, while senders post."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.found import Found
from tests.chaos.ledger import traffic
from tests.chaos.scene import scene, until

NETWORK_NAME_DELETED = 64  # ERROR_NETNAME_DELETED, with which Windows' Proactor loses it
RUNS = 5  # failures one after the other


class Accepting:
    """The loop's accept, which fails `left` times more."""

    def __init__(self) -> None:
        self.left = 0
        self.failed = 0

    def comes(self) -> bool:
        """Whether this one fails."""
        if not self.left:
            return False
        self.left -= 1
        self.failed += 1
        return True


@contextmanager
def failing() -> Iterator[Accepting]:
    """Every accept of this loop asks first."""
    loop: Any = asyncio.get_running_loop()
    real, told = loop.sock_accept, Accepting()

    async def accept(sock: socket.socket) -> tuple[socket.socket, Any]:
        accepted: tuple[socket.socket, Any] = await real(sock)
        if told.comes():
            accepted[0].close()
            error = OSError(22, "The specified network name is no longer available")
            error.winerror = NETWORK_NAME_DELETED  # type: ignore[attr-defined]  # as it is there
            raise error
        return accepted

    loop.sock_accept = accept
    try:
        yield told
    finally:
        loop.sock_accept = real


async def accepting(folder: Path, *, rounds: int = 1) -> Found:
    """It fails again and again, then it is dead altogether: bound anew, and what was answered 2xx runs."""
    async with scene(folder) as made:
        house = await made.settle()
        await house.mode("direct")
        sender = made.direct_sender(house)
        with failing() as told:
            for _ in range(rounds):
                async with traffic(sender, sender):
                    told.left = RUNS
                    await until(lambda: not told.left)
                listener = house.agent.direct._switchboard.listener
                assert listener is not None
                assert listener._accepting is not None
                listener._accepting.cancel()  # what cpython#93821 comes to
                await asyncio.sleep(0.05)
                await house.agent.direct.watch()
                await sender.insist(5)
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(told.failed == RUNS * rounds, f"it failed {told.failed} times")
        found.notes.append(f"{told.failed} accepts failed, {made.ledger.refused[0]} posts were not answered")
        return found

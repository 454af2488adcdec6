import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.web.listener.scene import BRISK, Line, Scene, exchange, post, status, until
from touchpoints.problem import ProblemError
from web.listener.app import make_app
from web.listener.certificate import Certificate
from web.listener.port import open_port
from web.listener.server import Listener
from web.listener.switchboard import Switchboard

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _switchboard(scene: Scene) -> AsyncIterator[Switchboard]:
    app = make_app(scene.intake())

    def make(address: str, port: int, certificate: Certificate | None) -> Listener:
        return Listener(app, address, port, certificate=certificate, deadlines=BRISK)

    board = Switchboard(make, grace=5)
    try:
        yield board
    finally:
        await board.close(0.5)


async def _send_on(board: Switchboard, stop: asyncio.Event, sent: list[bytes]) -> None:
    """An ordinary sender: keeps its connection, and sends again what got no answer."""
    line: Line | None = None
    number = 0
    while not stop.is_set():
        body = b"%d" % number
        try:
            if line is None:
                assert board.listener is not None
                line = Line(*await asyncio.open_connection(*board.listener.address))
            await line.say(post(body))
            answer = await line.answer()
        except (OSError, asyncio.IncompleteReadError):
            answer = b"connection: close"
        else:
            assert status(answer) == 200
            sent.append(body)
            number += 1
        if line is not None and b"connection: close" in answer:
            line.writer.close()
            line = None
        await asyncio.sleep(0)
    if line is not None:
        line.writer.close()


def _reached(sent: list[list[bytes]], enough: int) -> bool:
    return sum(map(len, sent)) >= enough


async def test_moving_under_traffic_loses_nothing(free_port: Callable[[], int]) -> None:
    """Other ports and other addresses while traffic flows: everything that was answered 200 is stored."""
    scene = Scene()
    ports = [free_port(), free_port()]
    places = [("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), ("0.0.0.0", ports[1]), ("127.0.0.1", ports[1])]
    async with _switchboard(scene) as board:
        await board.switch("127.0.0.1", free_port(), None)
        stop = asyncio.Event()
        sent: list[list[bytes]] = [[] for _ in range(8)]
        async with asyncio.TaskGroup() as group:
            for mine in sent:
                group.create_task(_send_on(board, stop, mine))
            for place in places:
                await asyncio.sleep(0.1)
                before = sum(map(len, sent))
                await board.switch(*place, None)
                await until(partial(_reached, sent, before + 20))
            stop.set()
        assert board.listener is not None
        assert board.listener.address == places[-1]
    stored = sorted(scene.kept.bodies)
    for body in [body for mine in sent for body in mine]:
        stored.remove(body)


async def test_another_port_that_is_taken(free_port: Callable[[], int]) -> None:
    """When the new port cannot be had, the old listener goes on as before."""
    scene = Scene()
    async with _switchboard(scene) as board, Scene().listening() as other:
        port = free_port()
        await board.switch("127.0.0.1", port, None)
        with pytest.raises(ProblemError, match="in use"):
            await board.switch(*other.address, None)
        assert board.listener is not None
        assert board.listener.address == ("127.0.0.1", port)
        assert status(await exchange(board.listener, post(b"{}", close=True))) == 200


async def test_another_address_that_fails(free_port: Callable[[], int]) -> None:
    """When the same port cannot be had on another address, the old one stands again."""
    scene = Scene()
    async with _switchboard(scene) as board:
        port = free_port()
        await board.switch("127.0.0.1", port, None)
        with pytest.raises(ProblemError, match="no address"):
            await board.switch("192.0.2.1", port, None)
        assert board.listener is not None
        assert status(await exchange(board.listener, post(b"{}", close=True))) == 200


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one loopback address")
async def test_another_address_that_is_taken(free_port: Callable[[], int]) -> None:
    """When another program has the same port on the new address, the old one stands again."""
    port = free_port()
    async with _switchboard(Scene()) as board:
        await board.switch("127.0.0.1", port, None)
        with open_port("127.0.0.2", port), pytest.raises(ProblemError, match="in use"):
            await board.switch("127.0.0.2", port, None)
        assert board.listener is not None
        assert status(await exchange(board.listener, post(b"{}", close=True))) == 200


async def test_same_place(free_port: Callable[[], int]) -> None:
    """Asking for the place where it stands changes nothing."""
    async with _switchboard(Scene()) as board:
        port = free_port()
        first = await board.switch("127.0.0.1", port, None)
        assert await board.switch("127.0.0.1", port, None) is first


async def test_watch(free_port: Callable[[], int]) -> None:
    """A dead accept loop is noticed and bound anew."""
    async with _switchboard(Scene()) as board:
        assert not await board.watch()
        listener = await board.switch("127.0.0.1", free_port(), None)
        assert not await board.watch()
        assert listener._accepting is not None
        listener._accepting.cancel()
        assert await board.watch(0.2)
        assert await listener.probe()

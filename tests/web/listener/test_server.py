import asyncio
import socket
from collections.abc import Callable

import pytest

from tests.web.listener.scene import BRISK, Scene, dial, exchange, post, status, until
from touchpoints.problem import ProblemError
from web.listener.port import open_port
from web.listener.server import Listener

pytestmark = pytest.mark.anyio


async def _nothing(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("not called")


async def test_port_taken() -> None:
    """A port in use is a problem that names it and a free one."""
    async with Scene().listening() as listener:
        address, port = listener.address
        with pytest.raises(ProblemError) as caught:
            await Listener.open(_nothing, address, port)
    (problem,) = caught.value.problems
    assert problem.code == "port_taken"
    assert str(port) in problem.text
    free = int(problem.mend.split("; ")[1].split()[0])
    open_port(address, free).close()


async def test_an_answer_of_two_writes_does_not_wait() -> None:
    """Every connection sends at once (TCP_NODELAY); otherwise a page would take up to 40 ms longer."""
    async with Scene().listening() as listener:
        _, writer = await asyncio.open_connection(*listener.address)
        await until(lambda: listener.connections == 1 and next(iter(listener._keys)).transport is not None)
        sock = next(iter(listener._keys)).transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()


@pytest.mark.parametrize("turns", range(6))
async def test_whom_it_takes_while_it_stops_is_served(turns: int) -> None:
    """However far the loop has come with a new connection: none is dropped without an answer."""
    async with Scene().listening() as listener:
        with socket.create_connection(listener.address, timeout=5) as sender:
            for _ in range(turns):
                await asyncio.sleep(0)
            await listener.stop()
            sender.sendall(post(b"x"))
            assert status(await asyncio.to_thread(sender.recv, 1024)) == 200


async def test_address_not_here() -> None:
    """An address of another machine, or none at all, is a problem in words."""
    for address in ("192.0.2.1", "no such host"):
        with pytest.raises(ProblemError) as caught:
            await Listener.open(_nothing, address, 0)
        assert caught.value.problems[0].code == "address_not_here"


def test_port_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port the system denies is a problem in words; it is made up here, as the tests may run with every right."""

    def deny(_self: socket.socket, _where: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", deny)
    with pytest.raises(ProblemError) as caught:
        open_port("127.0.0.1", 80)
    assert caught.value.problems[0].code == "port_denied"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_ipv6() -> None:
    """`::` listens on both IPv6 and IPv4."""
    listener = await Listener.open(Scene().intake, "::", 0)
    try:
        assert await listener.probe()
        for host in ("::1", "127.0.0.1"):
            _, writer = await asyncio.open_connection(host, listener.address[1])
            writer.close()
            await writer.wait_closed()
    finally:
        await listener.close(0.1)


async def test_close_lets_work_finish() -> None:
    """Closing gives a request in progress its answer and says that it is the last, and takes no new connection."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening() as listener, dial(listener) as busy, dial(listener) as idle:
        await busy.say(post(b"{}"))
        await idle.say(post(b"{}", path=b"/nope"))
        assert status(await idle.answer()) == 404
        closing = asyncio.create_task(listener.close(5))
        await asyncio.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            await exchange(listener, post(b"{}"))
        await idle.say(post(b"{}", path=b"/nope"))
        assert b"connection: close" in await idle.rest()
        scene.kept.gate.set()
        answer = await busy.rest()
        assert status(answer) == 200
        assert b"connection: close" in answer
        await closing
    assert scene.kept.bodies == [b"{}"]


async def test_close_is_bounded() -> None:
    """Closing does not wait longer than its grace, for work or for idle connections."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening() as listener, dial(listener) as busy, dial(listener):
        await busy.say(post(b"{}"))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await listener.close(0.1)
            assert await busy.rest() == b""
        assert listener.connections == 0


async def test_idle_connections_end_when_closing() -> None:
    """An idle connection is closed soon after its listener goes, not at the end of the grace."""
    async with Scene().listening(deadlines=BRISK) as listener, dial(listener) as line:
        await line.say(post(b"{}"))
        await line.answer()
        async with asyncio.timeout(5):
            await listener.close(60)


async def test_probe_sees_a_dead_accept_loop() -> None:
    """The probe tells a living accept loop from a dead one, and rebinding brings it back on the same port."""
    async with Scene().listening() as listener:
        port = listener.address[1]
        assert await listener.probe()
        assert listener._accepting is not None
        listener._accepting.cancel()
        assert not await listener.probe(0.1)
        await listener.rebind()
        assert listener.address[1] == port
        assert await listener.probe()
        assert status(await exchange(listener, post(b"{}", close=True))) == 200


async def test_accepting_outlives_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure to accept (out of handles, a lost network name on Windows) does not end the accept loop."""
    loop = asyncio.get_running_loop()
    accept: Callable[[socket.socket], object] = loop.sock_accept
    failures = [OSError(24, "Too many open files"), OSError(64, "The specified network name is no longer available")]

    async def failing(sock: socket.socket) -> object:
        if failures:
            raise failures.pop()
        return await accept(sock)  # type: ignore[misc]

    monkeypatch.setattr(loop, "sock_accept", failing)
    async with Scene().listening() as listener:
        assert await listener.probe()
    assert not failures


async def test_app_that_does_not_read_is_harmless() -> None:
    """A client that takes none of a long answer is cut off."""

    async def long_answer(_scope: object, _receive: object, send: Callable[[dict[str, object]], object]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[misc]
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})  # type: ignore[misc]

    listener = await Listener.open(long_answer, "127.0.0.1", 0, deadlines=BRISK)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, listener.address)
        await loop.sock_sendall(sock, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: listener.connections)
        await until(lambda: not listener.connections)
    await listener.close(1)

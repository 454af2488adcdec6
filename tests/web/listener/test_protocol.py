import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.web.listener.scene import BRISK, PATIENT, Scene, dial, exchange, post, signature, status, until
from web.listener.crowd import Ceilings
from web.listener.server import Listener

pytestmark = pytest.mark.anyio

HEAD = b"POST /hooks/open HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"

MALFORMED = {
    "length and chunks": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "an endless length": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "no length": HEAD + b"Content-Length:\r\n\r\n",
    "xchunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": HEAD + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /hooks/open HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a space": CHUNKED + b"\r\n3 \r\nabc\r\n0\r\n\r\n",
    "a bare LF after a chunk size": CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
    "an endless chunk size": CHUNKED + b"\r\nFFFFFFFFFFFFFFFFF\r\nabc",
    "a chunk longer than its size": CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n",
    "a folded line": HEAD + b"X: a\r\n b\r\n\r\n",
    "NUL": HEAD + b"X: a\x00b\r\n\r\n",
    "CR": HEAD + b"X: a\rb\r\n\r\n",
    "LF": HEAD + b"X: a\nY: b\r\n\r\n",
    "no name": HEAD + b": a\r\n\r\n",
    "no colon": HEAD + b"X\r\n\r\n",
    "no host": b"POST /hooks/open HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two hosts": HEAD + b"Host: b\r\n\r\n",
    "two hosts in HTTP/1.0": b"POST /hooks/open HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "no path": b"POST http://a HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme": b"POST ftp://a/hooks/open HTTP/1.1\r\nHost: a\r\n\r\n",
    "raw UTF-8 in the target": b"POST /hooks/\xc3\xb6 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown method": b"FOO /hooks/open HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "chunk extensions without end": CHUNKED + b"\r\n3;" + b"x" * 400_000,
    "trailers without end": CHUNKED + b"\r\n0\r\n" + b"X: y\r\n" * 100_000,
    "endless tiny chunks": CHUNKED + b"\r\n" + b"1;aaaa\r\na\r\n" * 100_000,
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed(name: str) -> None:
    """What is malformed, or could be read in two ways, is answered 400, the connection ends, and nothing is stored."""
    scene = Scene()
    async with scene.listening(deadlines=BRISK) as listener:
        answer = await exchange(listener, MALFORMED[name])
    assert status(answer) == 400
    assert b"connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert scene.kept.arrivals == []


CEILINGS = {
    "many headers": (HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(10_000)) + b"\r\n", 431),
    "a header too many": (HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(200)) + b"\r\n", 431),
    "a large header": (HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431),
    "a header without end": (HEAD + b"X: " + b"y" * 1_000_000, 431),
    "a long target": (b"POST /hooks/" + b"y" * 8200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "HTTP/0.9": (b"GET /health\r\n\r\n", 505),
    "HTTP/2.0": (b"POST /hooks/open HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
}


@pytest.mark.parametrize("name", CEILINGS)
async def test_ceilings(name: str) -> None:
    """Heads over a ceiling are refused with the fitting status."""
    data, expected = CEILINGS[name]
    async with Scene().listening(deadlines=BRISK) as listener:
        assert status(await exchange(listener, data)) == expected


@pytest.mark.parametrize("path", [b"/health", b"/nope"])
async def test_a_host_that_is_none(path: bytes) -> None:
    """It is refused without a word: no framework answers a stranger in its own."""
    async with Scene().listening(deadlines=BRISK) as listener:
        answer = await exchange(listener, b"GET %s HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n" % path)
    assert status(answer) == 400
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 0\r\n" in answer


async def test_odd_but_right() -> None:
    """Absolute targets, HTTP/1.0, many headers and wishes to upgrade are served."""
    scene = Scene()
    good = [
        b"POST http://elsewhere/hooks/open?a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /hooks/open?a HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
        b"\r\nPOST /hooks/open?a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /hooks/open?a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n"
        + b"".join(b"X-%d: y\r\n" % i for i in range(150))
        + b"\r\n{}",
    ]
    async with scene.listening() as listener:
        for data in good:
            assert status(await exchange(listener, data)) == 200
    assert scene.kept.bodies == [b"{}"] * len(good)
    assert {arrival.event.target for arrival in scene.kept.arrivals} == {"/hooks/open?a"}


@pytest.mark.parametrize("framing", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"])
async def test_upgrade_is_ignored(framing: bytes) -> None:
    """A wish to change to HTTP/2 or WebSocket is no reason to lose the body, and the connection goes on."""
    scene = Scene()
    wish = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    async with scene.listening() as listener, dial(listener) as line:
        for _ in range(2):
            await line.say(wish + framing)
            assert status(await line.answer()) == 200
        await line.say(wish + framing + post(b"next"))
        assert status(await line.answer()) == 200
        assert status(await line.answer()) == 200
    assert scene.kept.bodies == [b"{}", b"{}", b"{}", b"next"]
    assert (b"upgrade", b"h2c") in scene.kept.arrivals[0].event.headers


async def test_keep_alive_and_pipelining() -> None:
    """Requests on one connection are answered in their order, also when sent without waiting."""
    scene = Scene()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(b"".join(post(b"%d" % i) for i in range(10)) + b"GET /nope HTTP/1.1\r\nHost: a\r\n\r\n" + post(b"last"))
        assert [status(await line.answer()) for _ in range(12)] == [200] * 10 + [404, 200]
    assert scene.kept.bodies == [b"%d" % i for i in range(10)] + [b"last"]


async def test_a_chunk_comes_in_any_pieces() -> None:
    """A packet that holds framing alone, such as half a chunk's size, is no reason to wait for each other."""
    scene = Scene()
    async with scene.listening() as listener, dial(listener) as line:
        for piece in (CHUNKED + b"\r\n", b"3", b";x", b"=y\r\n", b"ab", b"c", b"\r", b"\n0\r\n", b"X: ", b"y\r\n", b"\r\n"):
            await line.say(piece)
            await asyncio.sleep(0.02)  # so that each is a packet of its own
        assert status(await line.answer()) == 200
    assert scene.kept.bodies == [b"abc"]


@pytest.mark.parametrize("framing", [b"Content-Length: 60\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_a_body_in_many_pieces_wakes_the_app_but_seldom(framing: bytes) -> None:
    """Its bytes are gathered: what a stranger sends byte by byte costs little, and comes whole."""
    parts: list[bytes] = []

    async def reading(_scope: object, receive: Callable[[], Any], send: Callable[[dict[str, object]], Any]) -> None:
        more = True
        while more:
            message = await receive()
            parts.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    listener = await Listener.open(reading, "127.0.0.1", 0, deadlines=PATIENT)
    async with dial(listener) as line:
        await line.say(HEAD + framing)
        for _ in range(60):
            await asyncio.sleep(0.002)
            await line.say(b"x" if b"Length" in framing else b"1\r\nx\r\n")
        await line.say(b"" if b"Length" in framing else b"0\r\n\r\n")
        assert status(await line.answer()) == 204
    await listener.close(0.1)
    assert b"".join(parts) == b"x" * 60
    assert len(parts) <= 3


async def test_a_body_of_framing_alone_is_overdue() -> None:
    """Who sends no byte of a body, only what surrounds it, keeps no connection."""
    scene = Scene()
    async with scene.listening(deadlines=BRISK) as listener, dial(listener) as line:
        await line.say(CHUNKED + b"\r\n")
        await asyncio.sleep(0.05)
        await line.say(b"3;")
        assert status(await line.rest()) == 408
    assert not scene.kept.bodies


async def test_too_much_pipelining() -> None:
    """Who sends ahead without end is cut off after the answer that is due."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening(deadlines=BRISK) as listener, dial(listener) as line:
        await line.say(post(b"x") * 100)
        await asyncio.sleep(0.05)
        scene.kept.gate.set()
        assert (await line.rest()).count(b"HTTP/1.1 200") == 1
    assert scene.kept.bodies == [b"x"]


async def test_malformed_after_a_whole_request() -> None:
    """A request that was whole is answered; what follows it malformed ends the connection."""
    scene = Scene()
    async with scene.listening(deadlines=BRISK) as listener:
        answer = await exchange(listener, post(b"{}") + b"nonsense\r\n\r\n")
    assert status(answer) == 200
    assert answer.count(b"HTTP/1.1") == 1
    assert scene.kept.bodies == [b"{}"]


async def test_drip() -> None:
    """A request that comes byte by byte, but in time, is understood."""
    scene = Scene()
    async with scene.listening() as listener, dial(listener) as line:
        for byte in post(b"{}"):
            await line.say(bytes([byte]))
            await asyncio.sleep(0)
        assert status(await line.answer()) == 200
    assert scene.kept.bodies == [b"{}"]


async def _dripping(listener: Listener, start: bytes, drop: bytes, every: float) -> bytes:
    async with dial(listener) as line:
        await line.say(start)
        drip = asyncio.create_task(_drip(line.writer, drop, every))
        try:
            return await line.rest()
        finally:
            drip.cancel()
            await asyncio.gather(drip, return_exceptions=True)


async def _drip(writer: asyncio.StreamWriter, drop: bytes, every: float) -> None:
    while True:
        writer.write(drop)
        await asyncio.sleep(every)


async def test_slow_head() -> None:
    """A head that never ends is cut off with 408, however steadily it comes."""
    async with Scene().listening(deadlines=BRISK) as listener:
        assert status(await _dripping(listener, HEAD, b"X: y\r\n", 0.02)) == 408


async def test_silent_connection() -> None:
    """Who connects and says nothing, or only blank lines, is let go."""
    async with Scene().listening(deadlines=BRISK) as listener:
        assert await exchange(listener, b"") == b""
        try:
            assert await _dripping(listener, b"\r\n", b"\r\n", 0.02) == b""
        except ConnectionResetError:
            assert listener.connections == 0


async def test_idle_connection() -> None:
    """A connection that stays idle after an answer is closed."""
    async with Scene().listening(deadlines=BRISK) as listener:
        answer = await exchange(listener, post(b"{}"))
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("start", [HEAD + b"Content-Length: 100000\r\n\r\n", CHUNKED + b"\r\n186a0\r\n"])
async def test_slow_body(start: bytes) -> None:
    """A body below the least rate is cut off with 408, gives back its budget, and stores nothing."""
    scene = Scene()
    async with scene.listening(deadlines=BRISK) as listener:
        assert status(await _dripping(listener, start, b"x", 0.02)) == 408
        assert scene.budget.used == 0
    assert scene.kept.arrivals == []


async def test_endless_body() -> None:
    """A body that keeps to the rate but takes too long in all is cut off as well."""
    async with Scene().listening(deadlines=BRISK) as listener:
        assert status(await _dripping(listener, HEAD + b"Content-Length: 10000000\r\n\r\n", b"x" * 200, 0.02)) == 408


async def test_waiting_for_room_is_not_the_senders_fault() -> None:
    """While a body waits for the budget its deadline does not run."""
    scene = Scene()
    assert scene.budget.try_take(scene.budget.limit)
    async with scene.listening(deadlines=BRISK) as listener, dial(listener) as line:
        data = post(b"x" * 300_000)
        await line.say(data[:200])
        await asyncio.sleep(0.6)
        scene.budget.give(scene.budget.limit)
        await line.say(data[200:])
        assert status(await line.answer()) == 200


async def test_half_closed() -> None:
    """A sender that closes its side after a whole request still gets its answer."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(post(b"{}"))
        line.writer.write_eof()
        await asyncio.sleep(0.05)
        scene.kept.gate.set()
        assert status(await line.rest()) == 200


async def test_early_answer_is_seen() -> None:
    """A sender that only reads after sending everything still sees an early answer."""
    async with Scene().listening() as listener, dial(listener) as line:
        await line.say(b"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
        await asyncio.sleep(0.05)
        await line.say(b"x" * 5_000_000)
        answer = await line.rest()
    assert status(answer) == 404
    assert b"connection: close" in answer


async def test_slow_senders_leave_room() -> None:
    """With every place taken by silent connections, an honest sender is served at once."""
    scene = Scene()
    async with scene.listening(ceilings=Ceilings(total=20, per_address=100)) as listener:
        slow = [await asyncio.open_connection(*listener.address) for _ in range(40)]
        for _, writer in slow[::2]:
            writer.write(HEAD)
        assert status(await exchange(listener, post(b"{}", close=True))) == 200
        assert listener.connections <= 20
        for _, writer in slow:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in slow), return_exceptions=True)


async def test_busy_connections_are_not_evicted() -> None:
    """With every place at work a new sender is told 503, and the work goes on."""
    scene = Scene()
    scene.kept.gate.clear()
    ceilings = Ceilings(total=2, per_address=100)
    async with scene.listening(ceilings=ceilings) as listener, dial(listener) as first, dial(listener) as second:
        for line in (first, second):
            await line.say(post(b"{}"))
        await until(lambda: len(listener._state.tasks) == 2)
        answer = await exchange(listener, b"")
        assert status(answer) == 503
        assert b"retry-after: 5\r\n" in answer
        scene.kept.gate.set()
        assert [status(await line.answer()) for line in (first, second)] == [200, 200]


async def test_one_address_cannot_have_everything() -> None:
    """One address has its ceiling, unless it is a trusted proxy."""
    for trusted, expected in ((False, 503), (True, 200)):
        ceilings = Ceilings(total=100, per_address=1)
        listening = Scene().listening(ceilings=ceilings, trusted=lambda _address, answer=trusted: answer)
        async with listening as listener, dial(listener) as line:
            await line.say(post(b"{}"))
            assert status(await line.answer()) == 200
            data = post(b"{}", close=True) if trusted else b""
            assert status(await exchange(listener, data)) == expected


async def test_signature_survives_splitting() -> None:
    """Headers split over packets are the same headers."""
    scene = Scene()
    data = post(b"x" * 100, close=True)
    at = data.index(signature(b"x" * 100)) + 10
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(data[:at])
        await asyncio.sleep(0.02)
        await line.say(data[at:-50])
        await asyncio.sleep(0.02)
        await line.say(data[-50:])
        assert status(await line.answer()) == 200

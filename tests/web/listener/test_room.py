import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.web.listener.scene import BRISK, PATIENT, Line, Scene, dial, exchange, post, status, until
from web.listener import room
from web.listener.certificate import Certificate
from web.listener.crowd import Ceilings
from web.listener.protocol import GuardedProtocol
from web.listener.room import BUSY, spent
from web.listener.server import Listener

pytestmark = pytest.mark.anyio

HEAD = b"POST /hooks/open HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FULL = Ceilings(total=8, per_address=100)

HOLDS = {
    "silence": b"",
    "a head without end": HEAD + b"X: y",
    "a body without end": HEAD + b"Content-Length: 5000\r\n\r\nx",
    "chunks without end": CHUNKED + b"1\r\nx\r\n",
    "nonsense": b"nonsense\r\n\r\n",
    "a body that was refused before its end": HEAD.replace(b"/open", b"/nope") + b"Content-Length: 5000\r\n\r\nx",
}


async def _come(stack: AsyncExitStack, listener: Listener, count: int, data: bytes) -> list[Line]:
    """So many who say that, one after the other."""
    lines = []
    for _ in range(count):
        lines.append(await stack.enter_async_context(dial(listener)))
        if data:
            await lines[-1].say(data)
            await asyncio.sleep(0.01)
    return lines


@pytest.mark.parametrize("name", HOLDS)
async def test_who_holds_a_place_gives_way(name: str) -> None:
    """However strangers hold all places there are, an honest sender is served at once, and there are never more."""
    scene = Scene()
    async with scene.listening(ceilings=FULL) as listener, AsyncExitStack() as stack:
        await _come(stack, listener, 12, HOLDS[name])
        assert status(await exchange(listener, post(b"{}", close=True))) == 200
        assert listener.connections <= 8
    assert scene.kept.bodies == [b"{}"]


@pytest.mark.parametrize("name", ["a head without end", "a body without end", "chunks without end"])
async def test_who_is_cut_off_in_a_request_is_told_to_come_again(name: str) -> None:
    """Those that came first go first, with 503."""
    async with Scene().listening(ceilings=FULL) as listener, AsyncExitStack() as stack:
        lines = await _come(stack, listener, 9, HOLDS[name])
        assert status(await lines[0].rest()) == 503
        assert listener.connections == 8


async def test_who_was_served_outlasts_strangers() -> None:
    """A sender that rests between two requests keeps its connection, though it was there before them."""
    scene = Scene()
    deadlines = replace(PATIENT, head=60, idle=360)
    async with scene.listening(ceilings=FULL, deadlines=deadlines) as listener, AsyncExitStack() as stack:
        (sender,) = await _come(stack, listener, 1, post(b"1"))
        assert status(await sender.answer()) == 200
        await _come(stack, listener, 16, HOLDS["a head without end"])
        await sender.say(post(b"2"))
        assert status(await sender.answer()) == 200


async def test_an_address_that_has_too_many_costs_no_other_its_place() -> None:
    """Whoever is turned away for its own ceiling makes nobody give way."""
    async with Scene().listening(ceilings=Ceilings(total=3, per_address=3)) as listener, AsyncExitStack() as stack:
        lines = await _come(stack, listener, 3, b"")
        for _ in range(3):
            assert status(await exchange(listener, b"")) == 503
        for line in lines:
            await line.say(post(b"x"))
            assert status(await line.answer()) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 by itself")
async def test_an_address_whose_connections_gave_way_waits() -> None:
    """Who comes again after it kept others from their places is turned away at once, and nobody gives way for it."""
    there = ("127.0.0.9", 0)
    listening = Scene().listening(ceilings=FULL, deadlines=replace(PATIENT, head=1.0))
    async with listening as listener, AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(dial(listener, local_addr=there))
        await asyncio.sleep(0.2)
        sender = await stack.enter_async_context(dial(listener))
        await sender.say(post(b"{}"))
        assert status(await sender.answer()) == 200
        again = await stack.enter_async_context(dial(listener, local_addr=there))
        assert status(await again.rest()) == 503
        await sender.say(post(b"{}"))
        assert status(await sender.answer()) == 200
        assert listener.connections == 8


async def test_a_handshake_gives_way_too(tmp_path: Path) -> None:
    """Who never ends a TLS handshake is cut off like others: it holds a place, and no connection goes uncounted."""
    issued = trustme.CA().issue_cert("hooks.test")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    listening = Scene().listening(ceilings=FULL, certificate=Certificate(chain, key))
    async with listening as listener, AsyncExitStack() as stack:
        lines = await _come(stack, listener, 12, b"")
        for line in lines[:4]:
            assert await line.rest() == b""
        assert listener.connections == len(listener._arriving) == 8


async def test_a_body_that_comes_well_is_not_cut_off() -> None:
    """Of bodies that are on their way the slow ones go."""
    scene = Scene()
    async with scene.listening(ceilings=FULL) as listener, AsyncExitStack() as stack:
        good = await stack.enter_async_context(dial(listener))
        body = b"x" * 900_000
        request = post(body)
        await good.say(request[:600_000])
        await _come(stack, listener, 20, HOLDS["a body without end"])
        await good.say(request[600_000:])
        assert status(await good.answer()) == 200
    assert scene.kept.bodies == [body]


async def test_what_waits_for_us_is_busy() -> None:
    """A request that is whole uses up nothing of its sender's time."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(post(b"{}"))
        await until(lambda: listener._state.tasks)
        (one,) = listener._keys
        assert spent(one, one.since + 1000) == BUSY
        scene.kept.gate.set()
        await line.answer()
        assert spent(one, one.since + PATIENT.idle) == pytest.approx(1.0)


async def test_one_look_finds_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a newcomer costs does not grow with how many are there: a look at all is shared by many newcomers."""
    looks = 0

    def counted(one: GuardedProtocol, now: float) -> float:
        nonlocal looks
        looks += 1
        return spent(one, now)

    monkeypatch.setattr(room, "spent", counted)
    async with Scene().listening(ceilings=Ceilings(total=128, per_address=1000)) as listener, AsyncExitStack() as stack:
        await _come(stack, listener, 256, b"")
        await until(lambda: looks)
        assert listener.connections == 128
    assert looks < 128 * 24


@pytest.mark.parametrize("start", [HEAD + b"X: ", HEAD + b"Content-Length: 60000\r\n\r\n"])
async def test_unfinished_requests_hold_no_more_than_they_may(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hold most are told to come again; a small one that is not whole either goes on."""
    monkeypatch.setattr(room, "UNFINISHED", 300_000)
    scene = Scene()
    async with scene.listening(deadlines=replace(PATIENT, sweep=0.05)) as listener, AsyncExitStack() as stack:
        honest = await stack.enter_async_context(dial(listener))
        request = post(b"{}")
        await honest.say(request[:-1])
        lines = await _come(stack, listener, 12, start + b"y" * 40_000)
        await until(lambda: listener.connections < 9)
        assert sum(room.held(one) for one in listener._keys) <= 300_000
        await honest.say(request[-1:])
        assert status(await honest.answer()) == 200
        told = await asyncio.gather(*(line.answer() for line in lines[:12] if line.reader.at_eof() or line.reader._buffer))  # type: ignore[attr-defined]
        assert told
        assert {status(answer) for answer in told} == {503}


async def test_who_never_reads_its_answer_gives_way() -> None:
    """A newcomer is served though all places are held by connections to which nothing more can be written."""

    async def long_answer(_scope: object, _receive: object, send: Callable[[dict[str, object]], Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})

    listener = await Listener.open(long_answer, "127.0.0.1", 0, deadlines=PATIENT, ceilings=Ceilings(total=3))
    async with AsyncExitStack() as stack:
        for _ in range(3):
            deaf = stack.enter_context(socket.create_connection(listener.address, timeout=5))
            deaf.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        await until(lambda: len(listener._keys) == 3 and all(one.flow and one.flow.write_paused for one in listener._keys))
        (newcomer,) = await _come(stack, listener, 1, HEAD + b"Content-Length: 0\r\n\r\n")
        assert status(await newcomer.answer()) == 200
        assert listener.connections == 3
    await listener.close(0.05)


async def test_headers_are_counted_as_they_come() -> None:
    """A head of tiny headers, each of which takes many times its bytes, is refused before it ends."""
    async with Scene().listening() as listener, dial(listener) as line:
        await line.say(HEAD + b"a:b\r\n" * 250)
        assert status(await line.rest()) == 431


@pytest.mark.parametrize("more", [b"x" * 30_000, b"a:b\r\n" * 250])
async def test_trailers_do_not_live_on_their_body(more: bytes) -> None:
    """However large a body was, what comes after it stays small."""
    scene = Scene()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(CHUNKED + b"100000\r\n" + b"x" * 2**20 + b"\r\n")
        await asyncio.sleep(0.1)
        await line.say(b"0\r\nX: y")
        for _ in range(4):
            await asyncio.sleep(0.05)
            await line.say(more)
        assert status(await line.answer()) == 400
    assert not scene.kept.bodies


async def test_a_listener_that_closes_cuts_off_handshakes(tmp_path: Path) -> None:
    """They wait for nobody, and nothing of them stays."""
    issued = trustme.CA().issue_cert("hooks.test")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    async with Scene().listening(certificate=Certificate(chain, key), deadlines=BRISK) as listener:
        with socket.create_connection(listener.address, timeout=5):
            await until(lambda: listener.connections)
            await listener.close(0.05)
            assert listener.connections == 0

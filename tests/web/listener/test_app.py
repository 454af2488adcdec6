import asyncio
import hashlib
from dataclasses import replace

import pytest
from litestar.types import HTTPRequestEvent

from store.inbox import StoreUnavailable
from store.settings import Limits
from tests.web.listener.scene import OPEN, SIGNED, Scene, dial, exchange, post, signature, status, until
from touchpoints.event import Verdict
from touchpoints.request import Request
from web.listener.body import WHOLE, BodyReader
from web.listener.budget import SMALL
from web.listener.endpoint import Endpoint
from web.listener.intake import intake
from web.listener.proxies import TrustedProxies

pytestmark = pytest.mark.anyio


async def test_committed() -> None:
    """A signed event is stored exactly as sent and answered 200 with an empty body."""
    scene = Scene()
    async with scene.listening() as listener:
        answer = await exchange(
            listener, post(b'{"a":\xff}', b"X-Two: 1", b"x-two:  2 ", path=b"/hooks/orders?b=%20", close=True)
        )
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    (arrival,) = scene.kept.arrivals
    event = arrival.event
    assert arrival.body == b'{"a":\xff}'
    assert event.body_hash == hashlib.sha256(arrival.body).digest()
    assert event.body_bytes == len(arrival.body)
    assert (event.method, event.target, event.remote) == ("POST", "/hooks/orders?b=%20", "127.0.0.1")
    assert [value for name, value in event.headers if name == b"x-two"] == [b"1", b"2 "]
    assert (event.touchpoint, event.verdict, event.test, event.received_at) == (1, Verdict.ACCEPTED, False, scene.now)
    assert scene.woken == 1


async def test_answered_after_commit() -> None:
    """No answer leaves before the commit is on disk."""
    scene = Scene()
    scene.kept.gate.clear()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(post(b"{}"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await line.reader.read(1)
        scene.kept.gate.set()
        assert status(await line.answer()) == 200


async def test_refused() -> None:
    """A wrong signature is answered 401, told to the process, and not stored."""
    scene = Scene()
    async with scene.listening() as listener:
        answer = await exchange(listener, post(b"{}", close=True).replace(signature(b"{}"), b"0" * 64))
    assert status(answer) == 401
    assert scene.kept.arrivals == []
    ((event, body),) = scene.refused
    assert (event.verdict, event.reason, body) == (Verdict.REFUSED, "signature_wrong", b"{}")


async def test_test_header_from_outside_means_nothing() -> None:
    """A stranger cannot mark an event as a test."""
    scene = Scene()
    async with scene.listening() as listener:
        await exchange(listener, post(b"{}", b"Hookport-Test: true", close=True))
    assert [arrival.event.test for arrival in scene.kept.arrivals] == [False]


async def test_test_event_goes_the_same_way() -> None:
    """A test event is verified and stored like a real one, and marked."""
    scene = Scene()
    request = Request(
        method="POST",
        target="/hooks/orders",
        headers=((b"x-signature", signature(b"{}")),),
        body=b"{}",
        remote="127.0.0.1",
        received_at=scene.now,
        url="",
    )
    taken = await intake(scene.intake(), request, Endpoint(touchpoint=SIGNED, url=""), test=True)
    assert taken.status == 200
    assert taken.event is not None
    assert taken.event.test
    assert scene.kept.arrivals[0].event is taken.event


NAMES = [
    b"../orders",
    b"%2e%2e",
    b"con",
    b"orders%00",
    b"\xc3\xb6".hex().encode(),
    b"%ff",
    b"orders/",
    b"%2Forders",
    b"a" * 8000,
    b"",
]


@pytest.mark.parametrize("name", NAMES)
async def test_unknown_names(name: bytes) -> None:
    """Path tricks, device names and nonsense are unknown names like any other."""
    scene = Scene()
    async with scene.listening() as listener:
        answer = await exchange(listener, post(b"{}", path=b"/hooks/" + name, close=True))
    assert answer == b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    assert scene.kept.arrivals == []


async def test_only_hooks_and_health_are_public() -> None:
    """Nothing but endpoint URLs and health answers on the public port, and health tells no version."""
    async with Scene().listening() as listener:
        health = await exchange(listener, b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert health.endswith(b'\r\n\r\n{"ok":true}')
        for path in (b"/", b"/schema", b"/api/v1/status", b"/hooksorders", b"//hooks/orders", b"/health/"):
            assert status(await exchange(listener, post(b"{}", path=path, close=True))) == 404


async def test_wrong_method() -> None:
    """A method the touchpoint does not take is answered 405 with those it takes."""
    async with Scene().listening() as listener:
        answer = await exchange(listener, b"GET /hooks/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert status(answer) == 405
    assert b"allow: POST\r\n" in answer


async def test_declared_too_large() -> None:
    """A body declared over the limit is answered 413 without being read, also where the sender waits to be asked for it."""
    scene = Scene(limits=Limits(body=1000))
    async with scene.listening() as listener:
        for expect in (b"", b"Expect: 100-continue\r\n"):
            head = b"POST /hooks/open HTTP/1.1\r\nHost: a\r\n" + expect + b"Content-Length: 1001\r\n\r\n"
            answer = await exchange(listener, head)
            assert status(answer) == 413
            assert b"connection: close" in answer


async def test_chunked_too_large() -> None:
    """A chunked body is answered 413 as soon as it is over the limit, and its sender sees the answer while still sending."""
    scene = Scene(limits=Limits(body=100_000))
    chunk = b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000)
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(b"POST /hooks/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            await line.say(chunk)
        assert status(await line.answer()) == 413
    assert scene.kept.arrivals == []
    assert scene.budget.used == 0


async def test_chunked() -> None:
    """A chunked body arrives whole; its trailers are no headers."""
    scene = Scene()
    body = b"ab" * 100_000
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(body) // 4, body[i::4]) for i in range(4))
    async with scene.listening() as listener:
        answer = await exchange(
            listener,
            b"POST /hooks/open HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunks
            + b"0\r\nX-Late: 1\r\n\r\n",
        )
    assert status(answer) == 200
    assert scene.kept.bodies == [b"".join(body[i::4] for i in range(4))]
    assert b"x-late" not in dict(scene.kept.arrivals[0].event.headers)


async def test_expect_continue() -> None:
    """A sender that asks before sending its body is told to go on."""
    scene = Scene()
    async with scene.listening() as listener, dial(listener) as line:
        await line.say(b"POST /hooks/open HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await line.answer() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await line.say(b"{}")
        assert status(await line.answer()) == 200
    assert scene.kept.bodies == [b"{}"]


async def test_truncated_body() -> None:
    """A sender that goes away in the middle of its body leaves nothing behind."""
    scene = Scene()
    async with scene.listening() as listener:
        for data in (
            post(b"x" * 100_000)[:-1],
            b"POST /hooks/open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ):
            async with dial(listener) as line:
                await line.say(data)
                await asyncio.sleep(0.05)
        await until(lambda: not listener.connections and not scene.budget.used)
    assert scene.kept.arrivals == []
    assert scene.refused == []


async def test_too_many() -> None:
    """Over the rate a sender gets 429 with Retry-After, another touchpoint is not touched, and time brings room."""
    scene = Scene(limits=Limits(per_second=2))
    async with scene.listening() as listener:
        seen = [status(await exchange(listener, post(b"{}", close=True))) for _ in range(3)]
        assert seen == [200, 200, 429]
        assert b"retry-after: 1\r\n" in await exchange(listener, post(b"{}", close=True))
        assert status(await exchange(listener, post(b"{}", path=b"/hooks/open", close=True))) == 200
        scene.now += 500_000
        assert status(await exchange(listener, post(b"{}", close=True))) == 200


async def test_store_unavailable() -> None:
    """What cannot be committed is answered 503 with Retry-After, never 2xx, and works again by itself."""
    scene = Scene()
    scene.kept.trouble = StoreUnavailable("disk_full", retry_after=17)
    async with scene.listening() as listener:
        answer = await exchange(listener, post(b"{}", close=True))
        assert (status(answer), b"retry-after: 17\r\n" in answer) == (503, True)
        scene.kept.trouble = None
        assert status(await exchange(listener, post(b"{}", close=True))) == 200
        scene.shelf = None
        answer = await exchange(listener, post(b"{}", close=True))
        assert (status(answer), b"retry-after: 30\r\n" in answer) == (503, True)
    assert scene.woken == 1


async def test_a_bug_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    """A failure of our own is answered 500 without words and logged."""
    scene = Scene()
    scene.now = "not a time"  # type: ignore[assignment]
    scene.limits = Limits(per_second=1)
    scene.limits = replace(scene.limits, per_second="?")  # type: ignore[arg-type]
    async with scene.listening() as listener:
        answer = await exchange(listener, post(b"{}", close=True))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b"\r\n\r\n")
    assert "a request failed" in caplog.text


async def test_trusted_proxy_names_the_sender() -> None:
    """X-Forwarded-For counts only where the peer is a trusted proxy."""
    scene = Scene()
    async with scene.listening() as listener:
        await exchange(listener, post(b"{}", b"X-Forwarded-For: 203.0.113.9", close=True))
        scene.proxies = TrustedProxies(["127.0.0.1", "10.0.0.0/8"])
        await exchange(listener, post(b"{}", b"X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1", close=True))
    assert [arrival.event.remote for arrival in scene.kept.arrivals] == ["127.0.0.1", "203.0.113.9"]


async def test_large_bodies_stay_within_the_budget() -> None:
    """Sixteen 25 MiB bodies at once stay within the budget, and each is stored or answered 503."""
    scene = Scene(touchpoints=(OPEN,), patience=20.0)
    body = b"x" * (25 * 1024 * 1024)
    scene.kept.arrivals = Forgetful()
    async with scene.listening() as listener:
        answers = await asyncio.gather(*(exchange(listener, post(body, path=b"/hooks/open", close=True)) for _ in range(16)))
    assert {status(answer) for answer in answers} <= {200, 503}
    assert sum(status(answer) == 200 for answer in answers) >= 2
    assert scene.budget.used == 0
    assert 25 * 1024 * 1024 <= scene.budget.peak <= scene.budget.limit


class Forgetful(list):  # type: ignore[type-arg]
    """Keeps no 400 MB of bodies."""

    def append(self, _item: object) -> None:
        """Forget it."""


async def test_no_room_in_time() -> None:
    """Where the budget stays used up, a body is answered 503 after a bounded wait."""
    scene, long = Scene(patience=0.1), b"x" * (WHOLE + 1)
    assert scene.budget.try_take(scene.budget.limit)
    async with scene.listening() as listener:
        answer = await exchange(listener, post(long, close=True))
        assert (status(answer), b"retry-after: 5\r\n" in answer) == (503, True)
        scene.budget.give(scene.budget.limit)
        assert status(await exchange(listener, post(long, close=True))) == 200


async def test_short_bodies_always_find_room() -> None:
    """Whoever fills the budget with unfinished bodies shuts out nobody who sends an ordinary one at once."""
    scene = Scene(patience=0.1)
    assert scene.budget.try_take(scene.budget.limit)
    async with scene.listening() as listener:
        assert status(await exchange(listener, post(b"x" * WHOLE, close=True))) == 200
        chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        assert status(await exchange(listener, b"POST /hooks/open HTTP/1.1\r\nHost: h\r\n" + chunked)) == 200
        scene.budget.give(scene.budget.limit)


@pytest.mark.parametrize("length", [WHOLE, WHOLE + 1, 25 * 1024 * 1024])
async def test_unfinished_bodies_leave_room_for_deliveries(length: int) -> None:
    """However many a stranger begins and never ends, what a delivery claims is still to be had."""
    scene = Scene()
    begun = asyncio.Event()

    async def receive() -> HTTPRequestEvent:
        if begun.is_set():
            await asyncio.Event().wait()
        begun.set()
        return {"type": "http.request", "body": b"x", "more_body": True}

    headers = ((b"content-length", b"%d" % length),)
    readers = [asyncio.create_task(BodyReader(scene.budget, 9).read(headers, receive, length)) for _ in range(250)]
    await begun.wait()
    await asyncio.sleep(0.05)
    assert scene.budget.try_take(SMALL)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)

"""Fetching and keeping published keys, from hosts that are well, slow, down or hostile."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from appliance import key_holder
from appliance.clock import Clock
from appliance.key_holder import DEADLINE, MOST_NEW_OF_HOST, MOST_PLACES, MOST_TRIED, MOST_WAITING, KeyHolder
from appliance.tasks import Tasks
from tests.appliance.stage import until
from tests.touchpoints.factory import NOW
from tests.touchpoints.keys import certificate, der, ec_key, jwk, pem, rsa_key
from touchpoints.key_reading import MOST_BYTES
from touchpoints.moment import DAY, HOUR, MINUTE, Micros
from touchpoints.published_key import KeyPlace, Keys

pytestmark = pytest.mark.anyio

URL = "https://keys.example.com/jwks"
PLACE = KeyPlace(kind="jwks", url=URL)
KEY_SET = json.dumps({"keys": [jwk(rsa_key(), kid="one")]}).encode()


class Hands(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at: Micros = 0

    def now(self) -> Micros:
        return NOW + self.at

    def steady(self) -> Micros:
        return self.at

    def forward(self, span: Micros) -> None:
        self.at += span


class Pieces(httpx.AsyncByteStream):
    """An answer in pieces, as it comes over a wire."""

    def __init__(self, content: bytes, piece: int = 1000) -> None:
        self._content = content
        self._piece = piece
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), self._piece):
            self.given += 1
            yield self._content[start : start + self._piece]


def answered(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer that is not read yet."""
    return httpx.Response(status, headers=headers, stream=Pieces(content))


class Host(httpx.AsyncBaseTransport):
    """Every host there is, answering by a script; `gate` holds answers back."""

    def __init__(self, content: bytes = KEY_SET, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: answered(content, status, named)
        self.asked: list[httpx.Request] = []
        self.opened: list[str] = []
        self.closed = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = 0
        self.most = 0

    def connect(self, url: str) -> httpx.AsyncBaseTransport:
        self.opened.append(url)
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
            return self.answer(request)
        finally:
            self.under_way -= 1

    async def aclose(self) -> None:
        self.closed += 1


class Scene:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.clock = Hands()
        self.tasks = Tasks()
        self.senders = 0
        self.holder = KeyHolder(connect=host.connect, clock=self.clock, tasks=self.tasks)

    async def fetch(self, *places: KeyPlace, sender: str = "", size: int = 100, seconds: float = 5.0) -> Keys:
        """By a sender that nobody else is, where none is named."""
        self.senders += 1
        named = sender or f"2001:db8:{self.senders:x}::1"
        return await self.holder.fetch(places or (PLACE,), sender=named, size=size, seconds=seconds)


@asynccontextmanager
async def holding(host: Host) -> AsyncIterator[Scene]:
    scene = Scene(host)
    try:
        yield scene
    finally:
        host.gate.set()
        await scene.tasks.end()
    assert host.closed == len(host.opened)


def numbered(number: int, host: str = "keys.example.com") -> KeyPlace:
    return KeyPlace(kind="jwks", url=f"https://{host}/{number}")


async def test_what_was_fetched_is_at_hand_until_it_is_old() -> None:
    """Within the bounds, whatever the host says of how long it may be kept."""
    for said, kept in (
        ("", 6 * HOUR),
        ("max-age=7200", 2 * HOUR),
        ("public, max-age=1, x", HOUR),
        ("MAX-AGE=999999999", DAY),
        ("no-store", 6 * HOUR),
        ("s-maxage=1", 6 * HOUR),
    ):
        async with holding(Host(cache_control=said)) as scene:
            assert scene.holder.at_hand == {}
            got = await scene.fetch()
            assert got[PLACE].keys == {"one": der(rsa_key())}
            assert got[PLACE].fetched_at == NOW
            assert scene.holder.at_hand == got
            scene.clock.forward(kept - 1)
            assert scene.holder.at_hand == got
            scene.clock.forward(1)
            assert scene.holder.at_hand == {}
            assert len(scene.host.asked) == 1


async def test_what_is_asked_carries_nothing_of_us_but_our_name() -> None:
    """GET, without cookies, in plain encoding."""
    async with holding(Host()) as scene:
        await scene.fetch()
        (request,) = scene.host.asked
        assert (request.method, str(request.url), request.content) == ("GET", URL, b"")
        assert {name.lower() for name in request.headers} == {"host", "user-agent", "accept", "accept-encoding"}
        assert request.headers["host"] == "keys.example.com"
        assert request.headers["accept-encoding"] == "identity"


async def test_a_place_is_asked_once_a_minute_at_most() -> None:
    """Whether it gave keys, of which the wanted one may be new, or gave none."""
    async with holding(Host()) as scene:
        for _ in range(3):
            assert PLACE in await scene.fetch()
        scene.clock.forward(MINUTE)
        assert PLACE in await scene.fetch()
        assert len(scene.host.asked) == 2
    async with holding(Host(status=500)) as scene:
        for _ in range(3):
            assert await scene.fetch() == {}
        scene.clock.forward(MINUTE - 1)
        assert await scene.fetch() == {}
        assert len(scene.host.asked) == 1
        scene.clock.forward(1)
        scene.host.answer = Host().answer
        assert PLACE in await scene.fetch()


async def test_old_keys_serve_for_a_day_while_the_host_is_down() -> None:
    """They are given, but never at hand: each minute the host is asked again."""
    async with holding(Host()) as scene:
        await scene.fetch()
        scene.host.answer = Host(status=503).answer
        scene.clock.forward(6 * HOUR)
        assert scene.holder.at_hand == {}
        assert PLACE in await scene.fetch()
        scene.clock.forward(DAY - 1)
        assert PLACE in await scene.fetch()
        assert scene.holder.at_hand == {}
        scene.clock.forward(1)
        assert await scene.fetch() == {}
        assert len(scene.host.asked) == 3


@pytest.mark.parametrize(
    "host",
    [
        Host(status=404),
        Host(status=204, content=b""),
        Host(status=302, location="https://evil.example/"),
        Host(content=b"<html>"),
        Host(content=b" " * (MOST_BYTES + 1)),
        Host(content=KEY_SET, content_encoding="gzip"),
    ],
    ids=["404", "204", "redirect", "html", "long", "gzip"],
)
async def test_an_answer_that_is_no_key_is_none(host: Host) -> None:
    """Redirects are not followed, and nothing is unpacked."""
    async with holding(host) as scene:
        assert await scene.fetch() == {}
        assert scene.holder.at_hand == {}
        assert len(host.asked) == 1


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    """It is dropped at the limit."""
    stream = Pieces(b" " * 10 * MOST_BYTES)
    async with holding(Host()) as scene:
        scene.host.answer = lambda _: httpx.Response(200, stream=stream)
        assert await scene.fetch() == {}
    assert stream.given <= MOST_BYTES // 1000 + 1


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ReadError("x"), OSError("x"), ValueError("x"), TimeoutError()]
)
async def test_a_host_that_cannot_be_reached_gives_none(error: Exception) -> None:
    """And harms nothing."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    async with holding(Host()) as scene:
        scene.host.answer = fail
        assert await scene.fetch() == {}


async def test_an_outbound_proxy_that_is_none_gives_none() -> None:
    """The address of HTTPS_PROXY is wrong: nothing is fetched, and nothing breaks."""

    def connect(_: str) -> httpx.AsyncBaseTransport:
        raise ValueError("no proxy")

    tasks = Tasks()
    holder = KeyHolder(connect=connect, clock=Hands(), tasks=tasks)
    assert await holder.fetch([PLACE], sender="192.0.2.1", size=1, seconds=5.0) == {}


async def test_one_fetch_serves_all_that_wait_and_goes_on_without_them() -> None:
    """Whose time is over gets nothing; who comes after finds what it brought."""
    async with holding(Host()) as scene:
        scene.host.gate.clear()
        waiting = [asyncio.ensure_future(scene.fetch()) for _ in range(5)]
        await until(lambda: bool(scene.host.asked))
        assert await scene.fetch(seconds=0.01) == {}
        gone = asyncio.ensure_future(scene.fetch())
        await asyncio.sleep(0)
        gone.cancel()
        scene.host.gate.set()
        for got in await asyncio.gather(*waiting):
            assert PLACE in got
        assert PLACE in scene.holder.at_hand
        assert len(scene.host.asked) == 1


async def test_a_host_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few seconds in all; then it is tried again."""
    assert DEADLINE <= 5
    monkeypatch.setattr(key_holder, "DEADLINE", 0.01)
    async with holding(Host()) as scene:
        scene.host.gate.clear()
        assert await scene.fetch() == {}
        assert scene.host.under_way == 0


async def test_a_stranger_who_names_ever_new_places_is_slowed() -> None:
    """So many of one host in a minute, and so many in all; places that gave keys before are not counted."""
    async with holding(Host()) as scene:
        await scene.fetch()
        scene.host.answer = Host(status=404).answer
        for number in range(3 * MOST_NEW_OF_HOST):
            await scene.fetch(numbered(number))
        assert len(scene.host.asked) == MOST_NEW_OF_HOST
        for other in range(20):
            for number in range(10):
                await scene.fetch(numbered(number, f"sns.{other}.example.com"))
        assert len(scene.host.asked) == key_holder.MOST_NEW
        scene.clock.forward(6 * HOUR)
        scene.host.answer = Host().answer
        assert PLACE in await scene.fetch()
        assert numbered(9999) in await scene.fetch(numbered(9999))


async def test_a_stranger_leaves_others_their_part() -> None:
    """One address, of IPv6 one network, names so many new places in a minute, and the sender of events still gets its key."""
    for stranger in ("192.0.2.9", "2001:db8:9::{}"):
        async with holding(Host(status=404)) as scene:
            for number in range(3 * MOST_NEW_OF_HOST):
                await scene.fetch(numbered(number), sender=stranger.format(number))
            assert len(scene.host.asked) == key_holder.MOST_NEW_OF_SENDER
            scene.host.answer = Host().answer
            assert PLACE in await scene.fetch()


async def test_few_are_fetched_at_once() -> None:
    """However many are wanted; the others wait their turn, and too many are not even begun."""
    async with holding(Host()) as scene:
        scene.host.gate.clear()
        places = [numbered(number, f"k{number}.example.com") for number in range(50)]
        tasks = [asyncio.ensure_future(scene.fetch(*places[start : start + 5])) for start in range(0, 50, 5)]
        await until(lambda: len(scene.host.asked) == key_holder.MOST_AT_ONCE)
        scene.host.gate.set()
        got = [place for keys in await asyncio.gather(*tasks) for place in keys]
        assert scene.host.most == key_holder.MOST_AT_ONCE
        assert len(got) == key_holder.MOST_UNDER_WAY


async def test_what_is_kept_and_remembered_is_bounded() -> None:
    """The oldest goes."""
    async with holding(Host()) as scene:
        for number in range(MOST_TRIED + 100):
            scene.clock.forward(MINUTE)
            await scene.fetch(numbered(number))
            assert len(scene.holder.at_hand) <= MOST_PLACES
        assert len(scene.holder._tried) == MOST_TRIED
        assert numbered(MOST_TRIED + 99) in scene.holder.at_hand


async def test_few_requests_wait_and_not_with_much_in_hand() -> None:
    """The others are told at once, and their bodies leave memory."""
    async with holding(Host()) as scene:
        scene.host.gate.clear()
        large = asyncio.ensure_future(scene.fetch(size=25 * 1024 * 1024))
        await until(lambda: bool(scene.host.asked))
        assert await asyncio.wait_for(scene.fetch(size=1, seconds=60), 30) == {}
        scene.host.gate.set()
        assert PLACE in await large
    async with holding(Host()) as scene:
        scene.host.gate.clear()
        waiting = [asyncio.ensure_future(scene.fetch(size=1)) for _ in range(MOST_WAITING)]
        await until(lambda: scene.holder._waiting == MOST_WAITING)
        assert await asyncio.wait_for(scene.fetch(size=1, seconds=60), 30) == {}
        scene.host.gate.set()
        await asyncio.gather(*waiting)
        assert (scene.holder._waiting, scene.holder._waiting_bytes) == (0, 0)


async def test_no_address_but_a_plain_one_is_asked() -> None:
    """Though whoever asks should have looked."""
    async with holding(Host()) as scene:
        for url in (
            "http://keys.example.com/",
            "https://127.0.0.1/",
            "https://keys.example.com:8443/",
            "file:///etc/passwd",
            "",
        ):
            assert await scene.fetch(KeyPlace(kind="jwks", url=url)) == {}
        assert scene.host.opened == []


async def test_an_openid_provider_is_asked_twice() -> None:
    """For where its keys stand, and for them; both on its own host."""
    place = KeyPlace(kind="openid", url="https://login.example.com/common/.well-known/openid-configuration")
    uri = "https://login.example.com/common/discovery/keys"

    def answer(request: httpx.Request) -> httpx.Response:
        discovery = json.dumps({"jwks_uri": uri}).encode()
        return answered(KEY_SET if str(request.url) == uri else discovery)

    async with holding(Host()) as scene:
        scene.host.answer = answer
        assert (await scene.fetch(place))[place].keys == {"one": der(rsa_key())}
        assert [str(request.url) for request in scene.host.asked] == [place.url, uri]
        uri = "https://evil.example/keys"
        scene.clock.forward(MINUTE)
        await scene.fetch(place)
        assert [str(request.url) for request in scene.host.asked[2:]] == [place.url]


EBAY = KeyPlace(
    kind="ebay", url="https://api.ebay.com/commerce/notification/v1/public_key/one", credential="client:secret words"
)


async def test_ebays_key_is_asked_for_with_a_token() -> None:
    """developer.ebay.com: the client credentials grant flow; getPublicKey. The credential goes nowhere else."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return answered(b'{"access_token": "v^1.1#token", "expires_in": 7200}')
        return answered(json.dumps({"key": pem(ec_key()).replace("\n", ""), "algorithm": "ECDSA", "digest": "SHA1"}).encode())

    async with holding(Host()) as scene:
        scene.host.answer = answer
        assert (await scene.fetch(EBAY))[EBAY].keys == {"": der(ec_key())}
        first, second = scene.host.asked
        assert str(first.url) == "https://api.ebay.com/identity/v1/oauth2/token"
        assert first.headers["authorization"] == "Basic Y2xpZW50OnNlY3JldCB3b3Jkcw=="
        assert first.content == b"grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope"
        assert str(second.url) == EBAY.url
        assert second.headers["authorization"] == "Bearer v^1.1#token"


@pytest.mark.parametrize("answer", [{}, [], {"access_token": 7}, {"access_token": ""}, {"access_token": "a\r\nHost: evil"}])
async def test_a_token_that_is_none_is_not_sent_on(answer: Any) -> None:
    """It would become a part of the next request's head."""
    async with holding(Host(content=json.dumps(answer).encode())) as scene:
        assert await scene.fetch(EBAY) == {}
        assert len(scene.host.asked) == 1


async def test_nothing_secret_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Of what failed: the host, the kind, and a reason."""
    async with holding(Host(status=401)) as scene:
        assert await scene.fetch(EBAY) == {}
    said = capsys.readouterr().out
    assert "keys_not_fetched" in said
    assert "api.ebay.com" in said
    assert "secret words" not in said
    assert "public_key" not in said


class Rerouted(httpx.AsyncBaseTransport):
    """The vendor's name leads to a server on loopback, whose certificate is the vendor's."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=context)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        request.extensions["sni_hostname"] = host
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def vendor(authority: trustme.CA, name: str, content: bytes) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(content), content))
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("name", ["sns.eu-west-1.amazonaws.com", "evil.example"])
async def test_the_certificate_of_the_host_is_what_makes_it_the_vendors(name: str) -> None:
    """Over TLS: a server that has no certificate for the pinned name gives nothing."""
    url = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with vendor(authority, name, certificate(rsa_key()).encode()) as port:
        tasks = Tasks()
        holder = KeyHolder(connect=lambda _: Rerouted(port, trusting), clock=Hands(), tasks=tasks)
        place = KeyPlace(kind="x509", url=url)
        got = await holder.fetch([place], sender="192.0.2.1", size=1, seconds=10.0)
        await tasks.end()
    if name == urlsplit(url).hostname:
        assert got[place].keys == {"": der(rsa_key())}
        assert got[place].not_after == NOW + DAY
    else:
        assert got == {}

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from tests.touchpoints.destinations.jobs import NOW, job
from tests.touchpoints.destinations.raw_server import RawServer, closes_after, drips, hangs, says, serving, status
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.destinations.http import HttpSender
from touchpoints.destinations.registry import open_sender
from touchpoints.destinations.sender import Sender
from touchpoints.moment import DAY, SECOND
from touchpoints.touchpoint import Auth, HttpDestination

pytestmark = pytest.mark.anyio

OK = status("200 OK", body="fine")
# The official library refuses a signature that isn't of now.


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[Sender]:
    destination = HttpDestination(id=1, name="erp", url=url, **{"timeout": 5 * SECOND, **settings})
    sender = open_sender(destination, environment={}, now=lambda: NOW)
    try:
        yield sender
    finally:
        await sender.aclose()


async def tried(server: RawServer, **settings: Any) -> Outcome:
    async with opened(server.url, **settings) as sender:
        return await sender.attempt(job(), touchpoint="orders")


async def failure(server: RawServer, **settings: Any) -> Failed:
    outcome = await tried(server, **settings)
    assert isinstance(outcome, Failed)
    return outcome


async def test_the_body_arrives_byte_for_byte() -> None:
    """Any bytes, compressed ones with their Content-Encoding, and 3 MB of them, arrive as they came."""
    async with serving(OK) as server, opened(server.url) as sender:
        for body in (b"", bytes(range(256)), b"\x1f\x8b\x08 not really gzip", bytes(range(256)) * 12_000):
            sent = job(body, headers=((b"content-encoding", b"gzip"), (b"content-type", b"x/y")))
            assert await sender.attempt(sent, touchpoint="orders") == Delivered(http_status=200, answer=b"fine")
            assert server.bodies[-1] == body
            assert server.values(b"content-encoding") == [b"gzip"]
            assert server.values(b"content-length") == [str(len(body)).encode()]


async def test_headers_are_exactly_the_contract() -> None:
    """Received headers go on but for the connection's and the sender's secrets; ours are added; nothing else is."""
    received = (
        (b"host", b"hooks.example.com"),
        (b"content-length", b"2"),
        (b"connection", b"keep-alive, X-Hop"),
        (b"x-hop", b"dropped"),
        (b"transfer-encoding", b"chunked"),
        (b"te", b"trailers"),
        (b"upgrade", b"h2c"),
        (b"expect", b"100-continue"),
        (b"proxy-authorization", b"secret"),
        (b"cookie", b"secret"),
        (b"authorization", b"secret"),
        (b"forwarded", b"for=1.2.3.4"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"hookport-hop", b"2"),
        (b"hookport-test", b"true"),
        (b"x-shopify-topic", b"orders/create"),
        (b"x-twice", b"one"),
        (b"x-between", b"\xe9\xff caf\xc3\xa9"),
        (b"x-twice", b"two, three"),
    )
    async with serving(OK) as server, opened(server.url) as sender:
        await sender.attempt(job(b"{}", headers=received, hop=2, attempts=4, kind="orders/create"), touchpoint="orders")
    assert server.heads[-1].split(b"\r\n") == [
        b"POST /in HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}".encode(),
        b"x-shopify-topic: orders/create",
        b"x-twice: one",
        b"x-between: \xe9\xff caf\xc3\xa9",
        b"x-twice: two, three",
        b"Hookport-Delivery: 01JDXEVENT0000000000000000-abcdefgh",
        b"Hookport-Event: 01JDXEVENT0000000000000000",
        b"Hookport-Touchpoint: orders",
        b"Hookport-Event-Type: orders/create",
        b"Hookport-Attempt: 5",
        b"Hookport-Received-At: 2027-01-15T08:00:00.000000Z",
        b"Hookport-Hop: 3",
        b"Content-Length: 2",
    ]


async def test_no_header_value_can_begin_another() -> None:
    """Line breaks in what a stranger sent become spaces, odd names are left out, any character is survived."""
    evil = ((b"x-evil", b"a\r\nX-Injected: 1\0"), (b"bad name", b"1"), (b"bad\r\nX-Injected", b"1"))
    async with serving(OK) as server, opened(server.url) as sender:
        await sender.attempt(job(headers=evil, kind="Bestellung \u20ac\r\nX-Injected: 1 \ud800"), touchpoint="orders")
        await sender.attempt(job(kind="x" * 100_000), touchpoint="orders")
        assert len(server.values(b"hookport-event-type")[0]) == 256
    assert b"X-Injected" not in [line.split(b":")[0] for head in server.heads for line in head.split(b"\r\n")]
    assert b"x-evil: a  X-Injected: 1 " in server.heads[0]
    assert b"bad" not in server.heads[0]


async def test_test_events_are_marked() -> None:
    """A test event that is sent on says that it is one."""
    async with serving(OK) as server, opened(server.url) as sender:
        await sender.attempt(job(test=True), touchpoint="orders")
        assert server.values(b"hookport-test") == [b"true"]


async def test_the_destinations_own_headers_win() -> None:
    """A destination's headers replace received and added ones, Host too, but never the framing."""
    own = (("Content-Type", "text/x"), ("HOOKPORT-HOP", "9"), ("Host", "inner"), ("content-length", "1"), ("X-New", "\u00e9"))
    async with serving(OK) as server:
        await tried(server, headers=own, auth=Auth(kind="bearer", secret="t"))
        assert server.values(b"content-type") == [b"text/x"]
        assert server.values(b"hookport-hop") == [b"9"]
        assert server.values(b"host") == [b"inner"]
        assert server.values(b"content-length") == [b"8"]
        assert server.values(b"x-new") == ["\u00e9".encode()]
        await tried(server, headers=(("authorization", "mine"),), auth=Auth(kind="bearer", secret="t"))
        assert server.values(b"authorization") == [b"mine"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "GET", "DELETE"])
async def test_other_methods_carry_the_body_too(method: str) -> None:
    """A destination may ask for another method."""
    async with serving(OK) as server:
        assert isinstance(await tried(server, method=method), Delivered)
        assert server.heads[-1].startswith(method.encode() + b" /in ")
        assert server.bodies == [b'{"a": 1}']


async def test_the_url_is_kept_as_it_was_written() -> None:
    """Encoded slashes, plus signs, odd escapes and dots in a URL in a URL stay; only new parameters are added."""
    path = "/a%2Fb//c/../d;x=[1]?q=a+b%20c&e=%zz&f="
    async with serving(OK) as server, opened(f"http://127.0.0.1:{server.port}{path}#top", query=(("k", "a b&"),)) as sender:
        await sender.attempt(job(), touchpoint="orders")
        assert server.heads[-1].split(b"\r\n")[0] == f"POST {path}&k=a+b%26 HTTP/1.1".encode()
    async with serving(OK) as server, opened(f"http://127.0.0.1:{server.port}/gr\u00fc\u00dfe nach") as sender:
        await sender.attempt(job(), touchpoint="orders")
        assert server.heads[-1].startswith(b"POST /gr%C3%BC%C3%9Fe%20nach HTTP")


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        (
            Auth(kind="basic", username="us\u00e9r", secret="p:w"),
            b"Authorization: Basic " + base64.b64encode("us\u00e9r:p:w".encode()),
        ),
        (Auth(kind="bearer", secret="tok"), b"Authorization: Bearer tok"),
        (Auth(kind="api_key", name="X-Key", secret="k\r\nX: 1"), b"X-Key: k  X: 1"),
        (Auth(kind="api_key", name="key", secret="k&", place="query"), b"POST /in?key=k%26 HTTP/1.1"),
    ],
)
async def test_authentication(auth: Auth, line: bytes) -> None:
    """Basic, bearer and API key in a header or the query."""
    async with serving(OK) as server:
        await tried(server, auth=auth)
        assert line in server.heads[-1].split(b"\r\n")


async def test_user_and_password_in_the_url() -> None:
    """They become Basic authentication and stay out of the request line."""
    async with serving(OK) as server, opened(f"http://me:p%40ss@127.0.0.1:{server.port}/in") as sender:
        await sender.attempt(job(), touchpoint="orders")
        assert server.values(b"authorization") == [b"Basic " + base64.b64encode(b"me:p@ss")]
        assert b"me" not in server.values(b"host")[0]


async def test_signed_deliveries_verify_with_the_official_library() -> None:
    """`sign` makes Standard Webhooks headers, whose id is the delivery's, in place of received ones."""
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    destination = HttpDestination(id=1, name="erp", url="", sign=secret)
    now = int(datetime.now(UTC).timestamp()) * SECOND
    async with serving(OK) as server:
        sender = open_sender(replace(destination, url=server.url), environment={}, now=lambda: now)
        await sender.attempt(job(headers=((b"webhook-id", b"theirs"), (b"webhook-signature", b"v1,x"))), touchpoint="orders")
        await sender.aclose()
        headers = {name: server.values(name.encode()) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    assert headers["webhook-id"] == [b"01JDXEVENT0000000000000000-abcdefgh"]
    assert Webhook(secret).verify(server.bodies[0], {name: values[0].decode() for name, values in headers.items()}) == {"a": 1}


@pytest.mark.parametrize(
    ("line", "blame", "code"),
    [
        ("400 Bad", Blame.EVENT, "http_status"),
        ("401 No", Blame.EVENT, "http_status"),
        ("404 No", Blame.EVENT, "http_status"),
        ("422 No", Blame.EVENT, "http_status"),
        ("500 Oops", Blame.EVENT, "http_status"),
        ("501 Oops", Blame.EVENT, "http_status"),
        ("410 Gone", Blame.FINAL, "gone"),
        ("429 Slow", Blame.DESTINATION, "unavailable"),
        ("503 Busy", Blame.DESTINATION, "unavailable"),
        ("502 Gateway", Blame.DESTINATION, "bad_gateway"),
        ("504 Gateway", Blame.DESTINATION, "bad_gateway"),
        ("407 Proxy", Blame.DESTINATION, "proxy_error"),
        ("301 Moved", Blame.EVENT, "redirect"),
        ("302 Found", Blame.EVENT, "redirect"),
        ("308 Moved", Blame.EVENT, "redirect"),
    ],
)
async def test_what_a_status_means(line: str, blame: Blame, code: str) -> None:
    """Each refusing status has its blame and its code, and the answer is kept."""
    async with serving(status(line, body="why")) as server:
        outcome = await failure(server)
    assert (outcome.blame, outcome.code) == (blame, code)
    assert (outcome.http_status, outcome.answer, len(server.heads)) == (int(line[:3]), b"why", 1)


async def test_redirects_are_not_followed() -> None:
    """The error names where it points, without what may be a secret."""
    target = "Location: https://u:pw@other.example/login?token=secret"
    async with serving(status("302 Found", target)) as server:
        outcome = await failure(server)
    assert outcome.error.endswith(
        "answered 302 and points elsewhere, to https://other.example/login; redirects are not followed."
    )


async def test_the_error_shows_the_beginning_of_the_answer() -> None:
    """One printable line of the answer is shown; compressed ones are not; 2 KiB are kept."""
    async with serving(status("422 No", body="  order\n\x1b[31m  1042   unknown. " + "x" * 5000)) as server:
        outcome = await failure(server)
        assert f"127.0.0.1:{server.port} answered 422: order [31m 1042 unknown. xxx" in outcome.error
        assert len(outcome.answer) == 2048
        assert len(outcome.error) < 300
        server.answer = status("422 No", "Content-Encoding: gzip", body="zzz")
        assert (await failure(server)).error.endswith("answered 422.")


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("120", 120 * SECOND),
        ("0", 0),
        ("0000000000120", 120 * SECOND),
        ("99999999999999999999", DAY),
        (format_datetime(datetime.fromtimestamp(NOW // SECOND, UTC) + timedelta(minutes=3), usegmt=True), 180 * SECOND),
        (format_datetime(datetime.fromtimestamp(NOW // SECOND, UTC) - timedelta(minutes=3), usegmt=True), None),
        ("Fri, 99 Foo 2027 99:99:99 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_retry_after(value: str, span: int | None) -> None:
    """Seconds and dates are understood, up to a day; garbage says nothing."""
    async with serving(status("503 Busy", f"Retry-After: {value}")) as server:
        assert (await failure(server)).retry_after == span


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    """A success with an endless answer is a success; its connection is dropped instead of read."""
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 200_000
    async with serving(says(endless)) as server, opened(server.url) as sender:
        for _ in range(2):
            outcome = await sender.attempt(job(), touchpoint="orders")
            assert outcome == Delivered(http_status=200, answer=b"x" * 2048)
        assert server.connections == 2


async def test_connections_are_kept() -> None:
    """One connection serves many attempts, also after a refusal."""
    async with serving(status("404 No", body="no")) as server, opened(server.url) as sender:
        for _ in range(5):
            await sender.attempt(job(), touchpoint="orders")
        assert server.connections == 1


@pytest.mark.parametrize("answer", [hangs, drips])
async def test_the_timeout_is_in_all(answer: Any) -> None:
    """A destination that hangs, or answers a byte at a time, is cut off after the timeout."""
    async with serving(answer) as server:
        outcome = await failure(server, timeout=SECOND // 5)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "timeout")
    assert outcome.error == f"127.0.0.1:{server.port} did not answer in full within 0.2 s."


async def test_nobody_listens(free_port: Callable[[], int]) -> None:
    """A closed port is no connection, and the error says so without the URL's secrets."""
    port = free_port()
    async with opened(f"http://me:pw@127.0.0.1:{port}/in?token=secret") as sender:
        outcome = await sender.attempt(job(), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "no_connection")
    assert outcome.error.startswith(f"No connection to 127.0.0.1:{port}: ")
    assert "call failed" not in outcome.error
    assert not {"secret", "pw", "me:"} & set(outcome.error.replace("/", " ").split())


async def test_a_name_that_does_not_exist() -> None:
    """An unknown host is no connection."""
    async with opened("http://nowhere.invalid/in") as sender:
        outcome = await sender.attempt(job(), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "no_connection")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", "disconnected"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "bad_answer"),
        (b"220 mail.example.com ESMTP\r\n", "bad_answer"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "bad_answer"),
    ],
)
async def test_answers_that_are_none(answer: bytes, code: str) -> None:
    """Closing before or within the answer, and talking something else, speak of the destination."""
    async with serving(closes_after(answer)) as server:
        outcome = await failure(server)
        assert (outcome.blame, outcome.code) == (Blame.DESTINATION, code)
        assert len(server.heads) == 1
        server.answer = OK
        assert isinstance(await tried(server), Delivered)


async def test_an_answer_before_the_body_was_read() -> None:
    """A destination that refuses a large body early is heard, and not blamed for closing."""

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with listening, opened(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/") as sender:
        outcome = await sender.attempt(job(bytes(8_000_000)), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert outcome.http_status == 413


async def test_cookies_are_not_kept() -> None:
    """A cookie that one event's answer sets is not sent with the next."""
    async with serving(status("200 OK", "Set-Cookie: session=1; Path=/")) as server, opened(server.url) as sender:
        for _ in range(2):
            await sender.attempt(job(), touchpoint="orders")
        assert server.values(b"cookie") == []


async def test_each_destination_has_its_own_pool() -> None:
    """A destination that hangs with all its connections takes none of another's."""
    async with (
        serving(hangs) as slow,
        serving(OK) as quick,
        opened(slow.url, concurrency=2) as stuck,
        opened(quick.url) as free,
    ):
        waiting = [asyncio.create_task(stuck.attempt(job(), touchpoint="orders")) for _ in range(5)]
        assert isinstance(await free.attempt(job(), touchpoint="orders"), Delivered)
        while slow.connections < 2:
            await asyncio.sleep(0.01)
        assert slow.connections == 2
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_cancelling_passes_through() -> None:
    """An attempt that is cancelled ends at once with CancelledError."""
    async with serving(hangs) as server, opened(server.url) as sender:
        task = asyncio.create_task(sender.attempt(job(), touchpoint="orders"))
        while not server.heads:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_circle_ends() -> None:
    """An event that passed through Hookport eight times goes no further."""
    async with serving(OK) as server, opened(server.url) as sender:
        assert isinstance(await sender.attempt(job(hop=7), touchpoint="orders"), Delivered)
        assert server.values(b"hookport-hop") == [b"8"]
        outcome = await sender.attempt(job(hop=8), touchpoint="orders")
        assert isinstance(outcome, Failed)
        assert (outcome.blame, outcome.code, len(server.heads)) == (Blame.FINAL, "hop_limit", 1)


async def test_the_preview_shows_what_would_be_sent_without_secrets() -> None:
    """The preview is the attempt's request with credentials, own headers and query values blotted out."""
    own = (("X-Tenant", "secret1"), ("User-Agent", "erp-bridge"))
    auth = Auth(kind="bearer", secret="secret2")
    destination = HttpDestination(id=1, name="erp", url="https://u:secret3@erp.example/in?t=secret4", headers=own, auth=auth)
    async with httpx.AsyncClient() as unused:
        sender = HttpSender(destination, unused._transport, now=lambda: NOW)
        parcel = sender.preview(job(b"{}"), touchpoint="orders")
    assert parcel.target == "https://erp.example/in?t=***"
    assert (b"Authorization", b"***") in parcel.headers
    assert (b"X-Tenant", b"***") in parcel.headers
    assert (b"User-Agent", b"erp-bridge") in parcel.headers
    assert (b"Hookport-Touchpoint", b"orders") in parcel.headers
    assert parcel.body == b"{}"
    assert "secret" not in repr((parcel, destination, sender._address))

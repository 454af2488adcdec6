"""Over raw HTTP: requests within requests, headers within values, and heads, hosts and cookies that are too much."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.page.browser import Site, open_site
from tests.page.wire import answer_to, head, signed_in_cookie

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One running page for all tests here."""
    async with open_site(tmp_path_factory.mktemp("wire") / "data") as made:
        yield made


AMBIGUOUS = {
    "two lengths": "Content-Length: 3\r\nContent-Length: 60",
    "a length twice": "Content-Length: 3\r\nContent-Length: 3",
    "a length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "chunks and a length": "Transfer-Encoding: chunked\r\nContent-Length: 3",
    "chunks that are none": "Transfer-Encoding: xchunked",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "a space before the colon": "Transfer-Encoding : chunked",
    "a tab in the value": "Transfer-Encoding:\x0bchunked",
    "a folded line": "X: y\r\n Transfer-Encoding: chunked",
    "a bare line feed": "X: y\nTransfer-Encoding: chunked",
    "a bare return": "X: y\rTransfer-Encoding: chunked",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_no_request_hides_in_another(site: Site, name: str) -> None:
    """What two servers could part in two ways is answered 400 once, and the connection ends: the inner deed is not done."""
    cookie = await signed_in_cookie(site)
    inner = head(site, "POST", "/sign-out", "Content-Length: 0", cookie=cookie)
    outer = head(site, "POST", "/theme", AMBIGUOUS[name], "Content-Type: application/x-www-form-urlencoded", cookie=cookie)
    outer = outer.replace(b"Connection: close\r\n", b"")
    status, answer = await answer_to(site, outer + b"0\r\n\r\n" + inner)
    assert status == 400
    assert len(re.findall(rb"HTTP/1\.1 \d\d\d", answer)) == 1
    assert (await answer_to(site, head(site, "GET", "/settings/people", cookie=cookie)))[0] == 200


async def test_two_requests_that_are_plain_are_two(site: Site) -> None:
    """The inner deed of the test above is a true one: rightly parted from the outer, it is done."""
    cookie = await signed_in_cookie(site)
    outer = head(site, "GET", "/health", cookie=cookie).replace(b"Connection: close\r\n", b"")
    _, answer = await answer_to(site, outer + head(site, "POST", "/sign-out", "Content-Length: 0", cookie=cookie))
    assert re.findall(rb"HTTP/1\.1 (\d\d\d)", answer) == [b"200", b"303"]
    assert (await answer_to(site, head(site, "GET", "/settings/people", cookie=cookie)))[0] == 303


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.0"])
async def test_no_other_protocol_goes_round_the_gate(site: Site, upgrade: str) -> None:
    """A wish to upgrade is not heard: what follows is a request like any other."""
    lines = (
        "Connection: Upgrade, HTTP2-Settings",
        f"Upgrade: {upgrade}",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "Sec-WebSocket-Key: x",
    )
    status, answer = await answer_to(site, head(site, "GET", "/api/v1/status", *lines))
    assert status == 401
    assert b" 101 " not in answer


SPLITS = [
    "%0d%0aSet-Cookie:%20planted=1",
    "%0aSet-Cookie:%20planted=1",
    "%0d%0a%0d%0a<script>",
    "%e5%98%8a%e5%98%8dSet-Cookie:planted=1",
]


@pytest.mark.parametrize("split", SPLITS)
async def test_no_answer_is_split(site: Site, split: str) -> None:
    """Line ends in addresses, parameters and forms never become a header of an answer."""
    cookie = await signed_in_cookie(site)
    targets = [f"/{split}", f"/events/{split}", f"/sign-in?next=/{split}", f"/events?reference={split}", f"/search?q={split}"]
    targets += [f"/api/v1/export/deliveries?format=csv&reference={split}", f"/api/v1/{split}"]
    for target in targets:
        for line in (cookie, ""):
            _, answer = await answer_to(site, head(site, "GET", target, cookie=line))
            headers = answer.partition(b"\r\n\r\n")[0].lower()
            assert b"\nset-cookie: planted" not in headers, target
            assert b"<script>" not in headers
    form = f"theme=dark&next=/{split}".encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    _, answer = await answer_to(site, head(site, "POST", "/theme", kind, f"Content-Length: {len(form)}", cookie=cookie) + form)
    assert b"\nset-cookie: planted" not in answer.lower()


HOSTS = [
    "127.0.0.1:abc",
    "127.0.0.1:80@evil.test",
    "evil.test@127.0.0.1",
    "127.0.0.1/evil.test",
    "127.0.0.1#",
    "localhost:999999",
]
HOSTS += [
    "[::1]evil.test",
    "[::1",
    "127.0.0.1 evil.test",
    "127.0.0.1,evil.test",
    "\xff",
    "localhost:80\xff",
    "2130706433",
    "0x7f.1",
    "0",
]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_host_that_reads_in_two_ways_is_no_host(site: Site, host: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is refused like a stranger's name, wherever it asks, and nothing breaks inside."""
    for target in ("/", "/nowhere", "/api/v1/status", "/health"):
        status, answer = await answer_to(site, head(site, "GET", target, host=host))
        assert status == 403, target
        assert b"[page]" in answer
    assert "failed" not in caplog.text
    assert "Traceback" not in caplog.text


HOSTILE = {
    "bytes that are no text": ("Cookie: \xff\xfe=\x80;;;=;a", 200),
    "a notice that is no text": ("Cookie: hookport-said=%ff%00%1b[2J%%%", 200),
    "quotes without end": ('Cookie: hookport-theme="\\; hookport-said="\\303\\n', 200),
    "a thousand cookies": ("Cookie: " + "; ".join(f"c{n}={n}" for n in range(1000)), 200),
    "many empty ones": ("Cookie: " + "=;" * 20_000, 200),
    "a page that is no address": ("HX-Request: true\r\nHX-Current-URL: http://[", 200),
    "a page of elsewhere": ("HX-Request: true\r\nHX-Current-URL: http://evil.test//evil.test", 200),
    "an endless cookie": ("Cookie: a=" + "b" * 70_000, 431),
    "an endless header": ("X-A: " + "b" * 70_000, 431),
    "many headers": ("\r\n".join(f"X-{n}: y" for n in range(300)), 431),
    "a range": ("Range: bytes=0-18446744073709551615", 200),
    "a method of another kind": (
        "X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /api/v1/status\r\nX-Rewrite-URL: /live",
        200,
    ),
    "a proxy's words": ("X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.test", 200),
    "an encoding": ("Accept-Encoding: \xff, gzip;q=x, br;q=9999999999", 200),
    "a language": ("Accept-Language: " + ",".join(["x-\xff;q=2"] * 500), 200),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_headers_break_nothing(site: Site, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """They are refused for their size, or mean nothing; the person beside them stays signed in."""
    line, expected = HOSTILE[name]
    cookie = await signed_in_cookie(site)
    own = head(site, "GET", "/settings/people", line, f"Cookie: {cookie}")
    status, answer = await answer_to(site, own)
    assert status == expected
    assert b"evil.test" not in answer.partition(b"\r\n\r\n")[0]
    out, _ = await answer_to(site, head(site, "GET", "/", line))
    assert out in {303, 401, 431}
    assert "failed" not in caplog.text


async def test_bodies_that_are_too_much_are_refused(site: Site) -> None:
    """A body over two megabytes, announced or in chunks, is refused whoever sends it; very many fields are just a form."""
    kind = "Content-Type: application/x-www-form-urlencoded"
    status, _ = await answer_to(site, head(site, "POST", "/sign-in", kind, "Content-Length: 99999999"))
    assert status == 413
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    status, _ = await answer_to(
        site, head(site, "POST", "/sign-in", kind, "Transfer-Encoding: chunked") + chunk * 40 + b"0\r\n\r\n"
    )
    assert status == 413
    fields = b"&".join(b"a%d=b" % n for n in range(50_000))
    status, _ = await answer_to(site, head(site, "POST", "/sign-in", kind, f"Content-Length: {len(fields)}") + fields)
    assert status in {403, 400, 413}
    deep = b"[" * 100_000
    cookie = await signed_in_cookie(site)
    lines = ("Content-Type: application/json", f"Content-Length: {len(deep)}")
    status, _ = await answer_to(site, head(site, "POST", "/api/v1/tokens", *lines, cookie=cookie) + deep)
    assert status == 400

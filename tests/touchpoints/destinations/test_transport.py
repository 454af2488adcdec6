import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from tests.touchpoints.destinations.jobs import NOW, job
from tests.touchpoints.destinations.raw_server import RawServer, serving, status
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.destinations.registry import open_sender
from touchpoints.destinations.transport import open_transport
from touchpoints.moment import SECOND
from touchpoints.touchpoint import HttpDestination

pytestmark = pytest.mark.anyio

OK = status("200 OK")


async def tried(url: str, environment: dict[str, str] | None = None, **settings: Any) -> Outcome:
    destination = HttpDestination(id=1, name="erp", url=url, timeout=5 * SECOND, **settings)
    sender = open_sender(destination, environment=environment or {}, now=lambda: NOW)
    try:
        return await sender.attempt(job(), touchpoint="orders")
    finally:
        await sender.aclose()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def tls_for(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def secure(server: RawServer) -> str:
    return f"https://127.0.0.1:{server.port}/in"


async def test_a_private_authority_is_trusted(authority: trustme.CA, ca: str) -> None:
    """A certificate of the authority in `ca` is good."""
    async with serving(OK, tls=tls_for(authority)) as server:
        assert isinstance(await tried(secure(server), ca=ca), Delivered)


async def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    """Without `ca`, nothing is sent and the error says why."""
    async with serving(OK, tls=tls_for(authority)) as server:
        outcome = await tried(secure(server))
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code, server.heads) == (Blame.DESTINATION, "tls_error", [])
    assert outcome.error == (f"No secure connection to 127.0.0.1:{server.port}: unable to get local issuer certificate.")


async def test_a_certificate_for_another_name_is_not_trusted(authority: trustme.CA, ca: str) -> None:
    """The name in the certificate counts, also with a private authority."""
    async with serving(OK, tls=tls_for(authority, "other.example")) as server:
        outcome = await tried(secure(server), ca=ca)
    assert isinstance(outcome, Failed)
    assert outcome.code == "tls_error"
    assert "mismatch" in outcome.error


async def test_https_to_a_port_that_speaks_http() -> None:
    """A wrong scheme is a TLS error in words."""

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with listening:
        outcome = await tried(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
    assert isinstance(outcome, Failed)
    assert outcome.code == "tls_error"
    assert outcome.error.endswith(": wrong version number.")


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
async def test_a_bad_ca_file_is_a_failure_that_mends_itself(
    content: bytes | None, authority: trustme.CA, tmp_path: Path
) -> None:
    """A missing or broken `ca` file is a failure of the destination, and the next attempt reads it again."""
    path = tmp_path / "private.pem"
    if content is not None:
        path.write_bytes(content)
    async with serving(OK, tls=tls_for(authority)) as server:
        destination = HttpDestination(id=1, name="erp", url=secure(server), timeout=5 * SECOND, ca=str(path))
        sender = open_sender(destination, environment={}, now=lambda: NOW)
        outcome = await sender.attempt(job(), touchpoint="orders")
        assert isinstance(outcome, Failed)
        assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "ca_unreadable")
        authority.cert_pem.write_to_path(str(path))
        assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
        await sender.aclose()


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
    ],
)
async def test_metadata_addresses_are_refused(host: str) -> None:
    """A cloud machine's metadata service is never called, however its address is written."""
    for proxy in ("none", "http://127.0.0.1:1"):
        outcome = await tried(f"http://{host}/latest/", proxy=proxy)
        assert isinstance(outcome, Failed)
        assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "address_refused")


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "169.254.43518"])
async def test_old_spellings_of_addresses_lead_nowhere(host: str) -> None:
    """Numbers that the system's resolver would take for the metadata address never get there."""
    outcome = await tried(f"http://{host}/latest/")
    assert isinstance(outcome, Failed)
    assert outcome.code in {"no_connection", "address_refused"}


async def test_the_transport_adds_and_changes_nothing() -> None:
    """Seen alone: a request's headers are the wire's, in order, with duplicates, and each answer's header is kept apart."""
    async with serving(status("200 OK", "X-Twice: 1", "X-Twice: 2")) as server:
        transport = open_transport(HttpDestination(id=1, name="erp", url=server.url), {})
        headers = [(b"Host", b"h"), (b"x-A", b"1"), (b"X-a", b"\xff"), (b"Content-Length", b"1")]
        response = await transport.handle_async_request(httpx.Request("POST", server.url, headers=headers, content=b"x"))
        await response.aread()
        await response.aclose()
        await transport.aclose()
        assert response.headers.get_list("x-twice") == ["1", "2"]
        assert server.lines() == [b"Host: h", b"x-A: 1", b"X-a: \xff", b"Content-Length: 1"]


async def test_a_closed_transport_opens_again() -> None:
    """Closing gives connections back; a request after that opens a new one."""
    async with serving(OK) as server:
        transport = open_transport(HttpDestination(id=1, name="erp", url=server.url), {})
        for _ in range(2):
            response = await transport.handle_async_request(httpx.Request("POST", server.url))
            await response.aclose()
            await transport.aclose()
        assert server.connections == 2


@asynccontextmanager
async def tinyproxy(folder: Path, port: int, *lines: str) -> AsyncIterator[Path]:
    """A real HTTP proxy on loopback; gives its log."""
    program = shutil.which("tinyproxy", path=os.defpath + ":/usr/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("tinyproxy is not installed")
    log, settings = folder / "proxy.log", folder / "proxy.conf"
    base = [f"Port {port}", "Listen 127.0.0.1", "Timeout 10", f'LogFile "{log}"', "LogLevel Connect", "MaxClients 10"]
    settings.write_text("\n".join([*base, *lines, ""]))
    process = started(program, "-d", "-c", str(settings))
    try:
        await answering(port)
        yield log
    finally:
        process.terminate()
        process.wait(10)


def started(*command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def answering(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError


async def test_through_a_proxy(free_port: Callable[[], int], tmp_path: Path, authority: trustme.CA, ca: str) -> None:
    """http goes through the proxy as it is, https through a tunnel; the environment counts unless the destination says none."""
    port = free_port()
    environment = {"HTTP_PROXY": f"http://127.0.0.1:{port}", "https_proxy": f"127.0.0.1:{port}"}
    async with tinyproxy(tmp_path, port) as log, serving(OK) as plain, serving(OK, tls=tls_for(authority)) as tls:
        assert isinstance(await tried(f"{plain.url}?a=%2F", environment), Delivered)
        assert plain.heads[-1].startswith(b"POST /in?a=%2F HTTP/1.")
        assert plain.values(b"via")
        assert plain.bodies == [b'{"a": 1}']
        assert isinstance(await tried(secure(tls), environment, ca=ca), Delivered)
        assert f"CONNECT 127.0.0.1:{tls.port}" in log.read_text()
        assert isinstance(await tried(plain.url, environment, proxy="none"), Delivered)
        assert not plain.values(b"via")
        assert isinstance(await tried(plain.url, environment | {"NO_PROXY": "127.0.0.0/8"}), Delivered)
        assert not plain.values(b"via")
        assert isinstance(await tried(plain.url, {}, proxy=f"http://127.0.0.1:{port}"), Delivered)
        assert plain.values(b"via")


async def test_a_proxy_with_a_password(free_port: Callable[[], int], tmp_path: Path, authority: trustme.CA, ca: str) -> None:
    """User and password of the proxy's URL are sent to it, not to the destination; without them the proxy is blamed."""
    port = free_port()
    proxy = f"http://me:p%61ss@127.0.0.1:{port}"
    async with (
        tinyproxy(tmp_path, port, "BasicAuth me pass"),
        serving(OK) as plain,
        serving(OK, tls=tls_for(authority)) as tls,
    ):
        assert isinstance(await tried(plain.url, proxy=proxy), Delivered)
        assert not plain.values(b"proxy-authorization")
        assert not plain.values(b"authorization")
        assert isinstance(await tried(secure(tls), proxy=proxy, ca=ca), Delivered)
        assert not tls.values(b"proxy-authorization")
        for url in (plain.url, secure(tls)):
            outcome = await tried(url, proxy=f"http://127.0.0.1:{port}", ca=ca)
            assert isinstance(outcome, Failed)
            assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "proxy_error")


async def test_no_proxy_there(free_port: Callable[[], int]) -> None:
    """A proxy that does not answer is blamed, and its password not shown."""
    async with serving(OK) as server:
        outcome = await tried(server.url, proxy=f"http://me:secret@127.0.0.1:{free_port()}")
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "proxy_error")
    assert "secret" not in outcome.error

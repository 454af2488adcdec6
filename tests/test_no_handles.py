"""There is no file handle left: each place that takes one says so in words, loses nothing, and goes on once there are some."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

if sys.platform == "win32":
    pytest.skip("Windows has no such limit", allow_module_level=True)

from store.inbox import StoreUnavailable
from store.sqlite.database import AiosqliteDatabase, Open
from store.sqlite.events_file import EventsFile
from tests.chaos.limits_posix import with_handles
from tests.handles_posix import none_left
from tests.store.make import NOW, arrival
from tests.touchpoints.destinations.jobs import job
from tests.touchpoints.destinations.raw_server import serving
from tests.touchpoints.destinations.raw_server import status as answers
from tests.touchpoints.destinations.test_folder import names
from tests.web.listener.scene import Scene, Shelf, exchange, post, status
from tests.whole.hookport import COMMAND, ROOT
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.destinations.registry import open_sender
from touchpoints.destinations.sender import Sender
from touchpoints.destinations.trust import trust
from touchpoints.event import Arrival
from touchpoints.handles import handle_lacks, no_handle_left
from touchpoints.problem import ProblemError, catalogue
from touchpoints.touchpoint import Destination, FolderDestination, HttpDestination
from web.listener.certificate import Certificate
from web.listener.port import open_port

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _words() -> None:
    """A process reads them as it begins."""
    catalogue()


def sender_to(destination: Destination) -> Sender:
    return open_sender(destination, environment={}, now=lambda: NOW)


def blames_us(outcome: Outcome) -> bool:
    """Whether a failure says that handles lack, and is tried again for as long as that lasts."""
    assert isinstance(outcome, Failed)
    assert "no file handle" in outcome.error
    return (outcome.blame, outcome.code) == (Blame.DESTINATION, "no_handles")


def test_what_the_system_says_is_known() -> None:
    """Also where it is the reason of another error; a TLS library's numbers are not the system's."""
    assert not handle_lacks()
    with none_left():
        assert handle_lacks()
        with pytest.raises(OSError, match=r".") as raised:
            socket.socket()
    assert no_handle_left(raised.value)
    outer = ValueError()
    outer.__cause__ = raised.value
    assert no_handle_left(outer)
    assert not no_handle_left(ValueError())
    assert not no_handle_left(OSError(2, "No such file"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_connection_to_a_destination(host: str) -> None:
    """It is not the destination that is told to be wrong, and the same sender delivers afterwards."""
    async with serving(answers("200 OK")) as server:
        sender = sender_to(HttpDestination(id=1, name="erp", url=server.url.replace("127.0.0.1", host)))
        try:
            with none_left():
                assert blames_us(await sender.attempt(job(), touchpoint="orders"))
            assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
        finally:
            await sender.aclose()


@pytest.mark.parametrize("leave", [0, 1, 2])
async def test_the_authorities_that_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: int) -> None:
    """OpenSSL passes over a file that it cannot open: nobody would be trusted for as long as the sender lives."""
    authorities = tmp_path / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(str(authorities))
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities))
    with none_left(leave):
        if leave:
            assert trust().cert_store_stats()["x509_ca"] == 1
        else:
            with pytest.raises(OSError, match=r".") as raised:
                trust()
            assert no_handle_left(raised.value)
    sender = sender_to(HttpDestination(id=1, name="erp", url="https://127.0.0.1:1/"))
    with none_left():
        assert blames_us(await sender.attempt(job(), touchpoint="orders"))
    outcome = await sender.attempt(job(), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert outcome.code == "no_connection"
    await sender.aclose()


@pytest.mark.parametrize("leave", [0, 1])
async def test_the_folder_destination(tmp_path: Path, leave: int) -> None:
    """No half file stays, and a repeat writes the whole one."""
    sender = sender_to(FolderDestination(id=1, name="in", path=str(tmp_path), metadata=True))
    try:
        with none_left(leave):
            outcome = await sender.attempt(job(), touchpoint="orders")
        if not leave:
            assert blames_us(outcome)
            assert not names(tmp_path)
        assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
        assert len(names(tmp_path)) == 2
        assert not [name for name in names(tmp_path) if name.startswith(".")]
    finally:
        await sender.aclose()


async def test_the_events_file_opened_anew(tmp_path: Path) -> None:
    """After an error of the disk its connection is opened anew: 503 until that can be, and what was stored stays."""
    open_database: Open = AiosqliteDatabase.open
    events = await EventsFile.open(tmp_path / "events.db", open_database, now=NOW)
    try:
        await events.inbox.put(arrival(1))
        await events._writer._failed(sqlite3.OperationalError("disk I/O error"))
        with none_left():
            with pytest.raises(StoreUnavailable) as refused:
                await events.inbox.put(arrival(2))
            assert refused.value.code == "store_no_handles"
            assert events.state == "failed"
            assert events.problem is not None
            assert events.problem.code == "store_no_handles"
            assert "file handle" in str(events.problem)
        await events.inbox.put(arrival(3))
        assert events.state == "ready"
        assert [one.event.id for one in await events.inbox.take(limit=9)] == [arrival(n).event.id for n in (1, 3)]
    finally:
        await events.close()


class StarvedShelf(Shelf):
    """An inbox, on whose way a file is read that nobody can open."""

    async def put(self, arrival: Arrival) -> None:
        with none_left():
            socket.socket().close()
        await super().put(arrival)


async def test_a_request_on_whose_way_one_is_taken() -> None:
    """Such as what is loaded for the first event of its kind: the sender is to come again."""
    async with Scene(shelf=StarvedShelf()).listening() as listener:
        assert status(await exchange(listener, post(b"{}", close=True))) == 503


async def test_a_connection_that_cannot_be_accepted() -> None:
    """It waits and is served; the listener is not taken for dead meanwhile, and says why."""
    async with Scene().listening() as listener:
        port, loop = listener.address[1], asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        with sock:
            with none_left():
                await loop.sock_connect(sock, listener.address)
                await loop.sock_sendall(sock, post(b"{}", close=True))
                await asyncio.sleep(0.05)
                with pytest.raises(ProblemError) as raised:
                    await listener.probe()
            assert [one.code for one in raised.value.problems] == ["listener_no_handles"]
            async with asyncio.timeout(10):
                assert b" 200 " in await loop.sock_recv(sock, 100)
        assert await listener.probe()
        assert listener.address[1] == port
        assert status(await exchange(listener, post(b"{}", close=True))) == 200


async def test_the_last_handle_is_the_probes() -> None:
    """Our own connection is made, and cannot be accepted: that is no dead accept loop."""
    async with Scene().listening() as listener:
        with none_left(1), pytest.raises(ProblemError) as raised:
            await listener.probe(0.3)
        assert [one.code for one in raised.value.problems] == ["listener_no_handles"]
        assert await listener.probe()


async def test_a_listener_ends_without_a_handle() -> None:
    """To stop takes none."""
    async with Scene().listening() as listener:
        with none_left():
            await listener.stop()
        await listener.start()
        assert await listener.probe()


def test_a_port_in_words() -> None:
    """Neither the address nor the port is wrong."""
    for address in ("127.0.0.1", "localhost"):
        with none_left(), pytest.raises(ProblemError) as raised:
            open_port(address, 0)
        assert [one.code for one in raised.value.problems] == ["listener_no_handles"]


def test_a_renewed_certificate(tmp_path: Path) -> None:
    """It is kept as it was, which is told, and the new one is taken up as soon as it can be read."""
    authority = trustme.CA()
    files = tmp_path / "chain.pem", tmp_path / "key.pem"

    def issue() -> None:
        issued = authority.issue_cert("hooks.test")
        files[0].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        files[1].write_bytes(issued.private_key_pem.bytes())

    issue()
    certificate = Certificate(*files)
    for _ in range(2):
        issue()
        before = certificate.context
        with none_left():
            wrong = certificate.reload_if_changed()
            assert wrong is not None
            assert wrong.code == "certificate_unreadable"
            assert certificate.context is before
        assert certificate.reload_if_changed() is None
        assert certificate.context is not before


def test_a_certificate_that_is_read_and_then_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handles that end in between: what was seen is not taken for loaded, and the pair is not told to be wrong."""
    test_a_renewed_certificate(tmp_path)
    certificate = Certificate(tmp_path / "chain.pem", tmp_path / "key.pem")
    issued = trustme.CA().issue_cert("hooks.test")
    (tmp_path / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(issued.private_key_pem.bytes())
    real, before = certificate._read_digest, certificate.context
    with monkeypatch.context() as patched:
        patched.setattr("web.listener.certificate._expiry", lambda _path: NOW)
        seen = real()
        patched.setattr(certificate, "_read_digest", lambda: seen)
        with none_left():
            wrong = certificate.reload_if_changed()
    assert wrong is not None
    assert wrong.code == "certificate_unreadable"
    assert certificate.reload_if_changed() is None
    assert certificate.context is not before


def test_a_start_with_too_few(tmp_path: Path) -> None:
    """It ends in words; a person is not shown a traceback."""
    command = [*COMMAND, "run", "--data-dir", str(tmp_path / "data"), "--admin", "127.0.0.1:0", "--no-browser"]
    done = subprocess.run(
        command, cwd=ROOT, preexec_fn=with_handles(10), capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "andle" in done.stderr or "Too many open files" in done.stderr
    assert "Traceback" not in done.stderr

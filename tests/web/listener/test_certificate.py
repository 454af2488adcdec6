import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.web.listener.scene import BRISK, Scene, dial, exchange, post, status, until
from touchpoints.moment import from_datetime
from touchpoints.problem import ProblemError
from web.listener.certificate import Certificate

pytestmark = pytest.mark.anyio

ENDS = datetime(2040, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _write(folder: Path, authority: trustme.CA, expires: datetime = ENDS) -> tuple[Path, Path]:
    issued = authority.issue_cert("hooks.test", not_after=expires)
    certificate, key = folder / "chain.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


def _client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_expiry(tmp_path: Path, authority: trustme.CA) -> None:
    """The day it expires is known."""
    assert Certificate(*_write(tmp_path, authority)).expires_at == from_datetime(ENDS)


def test_problems(tmp_path: Path, authority: trustme.CA) -> None:
    """Files that are missing, no PEM, protected by a password or of different pairs are problems in words."""
    certificate, key = _write(tmp_path, authority)
    (tmp_path / "other").mkdir()
    _, other_key = _write(tmp_path / "other", authority)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_bytes(b"\x30\x82")
    locked = tmp_path / "locked.pem"
    loaded = load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    missing = tmp_path / "missing.pem"
    for pair, code in (
        ((missing, key), "certificate_unreadable"),
        ((certificate, missing), "certificate_key_unreadable"),
        ((nonsense, key), "certificate_not_pem"),
        ((certificate, other_key), "certificate_mismatch"),
        ((certificate, nonsense), "certificate_mismatch"),
        ((certificate, locked), "certificate_key_encrypted"),
    ):
        with pytest.raises(ProblemError) as caught:
            Certificate(*pair)
        assert caught.value.problems[0].code == code


def test_half_replaced_keeps_the_old_pair(tmp_path: Path, authority: trustme.CA) -> None:
    """While only one file is new, the old pair goes on; with both, the new one counts; each trouble is told once."""
    files = _write(tmp_path, authority)
    loaded = Certificate(*files)
    assert loaded.reload_if_changed() is None
    old, old_key = loaded.context, files[1].read_bytes()
    later = ENDS.replace(year=2041)
    _write(tmp_path, authority, later)
    new_key = files[1].read_bytes()
    files[1].write_bytes(old_key)
    trouble = loaded.reload_if_changed()
    assert trouble is not None
    assert trouble.code == "certificate_mismatch"
    assert loaded.reload_if_changed() is None
    assert (loaded.context, loaded.expires_at) == (old, from_datetime(ENDS))
    files[1].write_bytes(new_key)
    assert loaded.reload_if_changed() is None
    assert loaded.expires_at == from_datetime(later)


async def test_tls(tmp_path: Path, authority: trustme.CA) -> None:
    """Events arrive over TLS 1.2 and newer; older versions are refused, and early answers are seen."""
    scene = Scene()
    certificate = Certificate(*_write(tmp_path, authority))
    async with scene.listening(certificate=certificate) as listener:
        assert await listener.probe()
        async with dial(listener, ssl=_client(authority), server_hostname="hooks.test") as line:
            await line.say(post(b"x" * 500_000))
            assert status(await line.answer()) == 200
            await line.say(b"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
            assert status(await line.answer()) == 404
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(old)
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLS"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with dial(listener, ssl=old, server_hostname="hooks.test"):
                pass
    assert scene.kept.bodies == [b"x" * 500_000]


async def test_silent_handshake(tmp_path: Path, authority: trustme.CA) -> None:
    """Who connects to a TLS port and says nothing, or speaks plain HTTP, is let go and counted no more."""
    async with Scene().listening(certificate=Certificate(*_write(tmp_path, authority)), deadlines=BRISK) as listener:
        for data in (b"", post(b"{}")):
            with suppress(ConnectionResetError):
                assert b"HTTP/1.1 200" not in await exchange(listener, data)
        await until(lambda: not listener.connections)


async def test_hot_reload_under_traffic(tmp_path: Path, authority: trustme.CA) -> None:
    """A new pair of files serves new connections, while those that stand go on and no request fails."""
    scene = Scene()
    files = _write(tmp_path, authority)
    certificate = Certificate(*files)
    another = trustme.CA()
    async with scene.listening(certificate=certificate) as listener:
        trusting = _client(authority)
        async with dial(listener, ssl=trusting, server_hostname="hooks.test") as standing:
            await standing.say(post(b"1"))
            assert status(await standing.answer()) == 200
            _write(tmp_path, another)
            assert certificate.reload_if_changed() is None
            await standing.say(post(b"2"))
            assert status(await standing.answer()) == 200
            async with dial(listener, ssl=_client(another), server_hostname="hooks.test") as fresh:
                await fresh.say(post(b"3"))
                assert status(await fresh.answer()) == 200
            with pytest.raises(ssl.SSLCertVerificationError):
                async with dial(listener, ssl=_client(authority), server_hostname="hooks.test"):
                    pass
    assert scene.kept.bodies == [b"1", b"2", b"3"]

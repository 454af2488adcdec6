import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from appliance.address import join_address, split_address
from appliance.direct_path import DirectPath
from store.settings import AgentSettings
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

Ports = Callable[[], int]


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def path() -> AsyncIterator[DirectPath]:
    made = DirectPath(_app, trusted=lambda _: False)
    yield made
    await made.close(grace=0.1)


def _settings(port: int, **fields: Any) -> AgentSettings:
    return AgentSettings(**{"mode": "direct", "listen": "127.0.0.1", "port": port, **fields})


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


async def test_it_listens_in_direct_mode_alone(path: DirectPath, free_port: Ports) -> None:
    """Until a mode is chosen, and in proxy mode, no port is bound; leaving the mode closes it."""
    port = free_port()
    for mode, state in ((None, "off"), ("direct", "up"), ("both", "up"), ("proxy", "off"), ("direct", "up"), (None, "off")):
        await path.follow(_settings(port, mode=mode))
        assert (path.state, _answers(port)) == (state, state == "up")
        assert path.address == (f"127.0.0.1:{port}" if state == "up" else None)


async def test_a_port_that_is_taken_at_the_start_is_bound_later(path: DirectPath, free_port: Ports) -> None:
    """The process runs, says why it does not listen, and tries again by itself."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        await path.start(_settings(port))
        assert path.state == "down"
        assert str(port) in path.error
        await path.watch()
        assert path.state == "down"
    await path.watch()
    assert (path.state, path.error) == ("up", "")
    assert _answers(port)


async def test_a_change_that_cannot_be_leaves_the_old_listener(path: DirectPath, free_port: Ports) -> None:
    """A taken port is a problem in words; what stood stands, and the watch does not try the new one."""
    port, taken = free_port(), free_port()
    await path.follow(_settings(port))
    with socket.create_server(("127.0.0.1", taken)):
        with pytest.raises(ProblemError) as caught:
            await path.follow(_settings(taken))
        assert caught.value.problems[0].code == "port_taken"
    await path.watch()
    assert path.address == f"127.0.0.1:{port}"
    assert path.state == "up"
    assert not _answers(taken)


def _certificate(folder: Path, name: str = "a") -> dict[str, str]:
    issued = trustme.CA().issue_cert("hooks.test")
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    return {"tls_certificate": str(chain), "tls_key": str(key)}


def _write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


async def test_certificate_problems_are_told_and_change_nothing(path: DirectPath, free_port: Ports, tmp_path: Path) -> None:
    """A missing file, and a key of another certificate."""
    port, one, other = free_port(), _certificate(tmp_path, "a"), _certificate(tmp_path, "b")
    await path.follow(_settings(port, **one))
    ends = path.certificate_ends
    assert ends is not None
    for wrong, code in (
        ({**one, "tls_key": other["tls_key"]}, "certificate_mismatch"),
        ({**one, "tls_certificate": str(tmp_path / "missing.pem")}, "certificate_unreadable"),
        ({**one, "tls_client_ca": str(tmp_path / "missing.pem")}, "client_ca_unreadable"),
    ):
        with pytest.raises(ProblemError) as caught:
            await path.follow(_settings(free_port(), **wrong))
        assert caught.value.problems[0].code == code
        assert (path.state, path.address, path.certificate_ends) == ("up", f"127.0.0.1:{port}", ends)
    await path.follow(_settings(port))
    assert path.certificate_ends is None


async def test_a_certificate_that_cannot_be_used_at_the_start_is_taken_up_later(
    path: DirectPath, free_port: Ports, tmp_path: Path
) -> None:
    """Nobody is served without it meanwhile."""
    port, files = free_port(), _certificate(tmp_path)
    _write(files["tls_key"], b"not yet")
    await path.start(_settings(port, **files))
    assert path.state == "down"
    assert not _answers(port)
    _certificate(tmp_path)
    await path.watch()
    assert path.state == "up"


async def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(
    path: DirectPath, free_port: Ports, tmp_path: Path
) -> None:
    """The watch reads what changed; half a renewal leaves what stood."""
    files = _certificate(tmp_path)
    await path.follow(_settings(free_port(), **files))
    ends = path.certificate_ends
    _write(files["tls_key"], b"half a key")
    await path.watch()
    assert (path.state, path.certificate_ends) == ("up", ends)
    assert path._certificate is not None
    before = path._certificate.context
    _certificate(tmp_path)
    await path.watch()
    assert path.state == "up"
    assert path._certificate.context is not before


async def test_addresses_are_read_as_they_are_written() -> None:
    """An IPv6 host stands in brackets; what is no address is refused."""
    for host, port, text in (("127.0.0.1", 80, "127.0.0.1:80"), ("::1", 65535, "[::1]:65535")):
        assert join_address(host, port) == text
        assert split_address(text) == (host, port)
    for wrong in ("", "80", ":80", "host:", "host:65536", "host:-1", "host:٣", "host:80x"):
        with pytest.raises(ValueError, match="not HOST:PORT"):
            split_address(wrong)

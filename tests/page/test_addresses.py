"""Where the page listens: on this machine by both of its addresses, and by one where the system has no other."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from appliance.process import _open_page
from tests.page.doorstep import doorstep
from tests.whole.hookport import Hookport
from touchpoints.problem import ProblemError, problem
from web.listener.server import Listener

pytestmark = pytest.mark.anyio


def has_ipv6() -> bool:
    """Whether this system has IPv6's loopback."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture
def hookport(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Hookport]:
    """A process that is not started yet."""
    made = Hookport(tmp_path, port=free_port(), admin=free_port())
    yield made
    made.close()


@pytest.mark.skipif(not has_ipv6(), reason="this system has no IPv6")
def test_the_page_answers_at_both_loopback_addresses(hookport: Hookport) -> None:
    """`localhost` means either; the port is the same, and commands talk to the first."""
    hookport.start()
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert httpx.get(f"http://{host}:{hookport.admin}/health", trust_env=False).json() == {"ok": True}, host
    assert json.loads((hookport.data / "running.json").read_text())["page"] == f"http://127.0.0.1:{hookport.admin}"
    assert hookport.stop() == 0


@pytest.mark.skipif(not has_ipv6(), reason="this system has no IPv6")
def test_a_taken_address_does_not_keep_it_from_starting(hookport: Hookport) -> None:
    """Another program at [::1] has its port, and the page is at 127.0.0.1 alone."""
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", hookport.admin))
        other.listen()
        hookport.start()
        assert httpx.get(f"http://127.0.0.1:{hookport.admin}/health", trust_env=False).json() == {"ok": True}
        assert hookport.stop() == 0


@pytest.mark.parametrize("works", [True, False])
async def test_any_port_is_the_same_on_both_or_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    """With port 0 the system chooses once; where IPv6 cannot be had, nothing else changes."""
    asked: list[tuple[str, int]] = []

    async def opened(_: Any, address: str, port: int, **__: Any) -> Listener:
        asked.append((address, port))
        if address == "::1" and not works:
            raise ProblemError(problem("address_not_here", address=address))
        return cast(Listener, SimpleNamespace(address=(address, port or 4711)))

    monkeypatch.setattr(Listener, "open", opened)
    async with doorstep(tmp_path / "data") as agent:
        listeners = await _open_page(agent, ("127.0.0.1", 0))
        assert asked == [("127.0.0.1", 0), ("::1", 4711)]
        assert len(listeners) == 1 + int(works)
        assert agent.page == "http://127.0.0.1:4711"


async def test_another_address_is_taken_as_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the usual one has a twin."""
    asked: list[str] = []

    async def opened(_: Any, address: str, port: int, **__: Any) -> Listener:
        asked.append(address)
        return cast(Listener, SimpleNamespace(address=(address, port)))

    monkeypatch.setattr(Listener, "open", opened)
    async with doorstep(tmp_path / "data") as agent:
        for address in ("::1", "127.0.0.2"):
            await _open_page(agent, (address, 1))
    assert asked == ["::1", "127.0.0.2"]

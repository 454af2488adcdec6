"""What every test may ask for."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

# The same commit gives the same result; a busy machine is no failure.
set_hypothesis_home_dir(Path(__file__).resolve().parent.parent / ".cache" / "hypothesis")
settings.register_profile("hookport", deadline=None, derandomize=True)
settings.load_profile("hookport")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that finds a TCP port of loopback nobody listens on, another one at each call."""
    found: set[int] = set()

    def find() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in found:
                found.add(port)
                return port

    return find

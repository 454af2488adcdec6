"""What every test may ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.free_port import free_port as find_port

# The same commit gives the same result; a busy machine is no failure.
set_hypothesis_home_dir(Path(__file__).resolve().parent.parent / ".cache" / "hypothesis")
settings.register_profile("hookport", deadline=None, derandomize=True)
settings.load_profile("hookport")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _forgetful_loggers() -> Iterator[None]:
    """A logger that keeps what it was first configured by would write for the rest of the run where one test wanted it."""
    real = structlog.configure

    def configure(*arguments: Any, **options: Any) -> None:
        real(*arguments, **{**options, "cache_logger_on_first_use": False})

    structlog.configure = configure
    yield
    structlog.configure = real


@pytest.fixture(autouse=True)
def _logs_as_ever() -> Iterator[None]:
    """What a test, or a program that it ran in this process, configured ends with it."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that finds a TCP port of loopback nobody listens on, another one at each call."""
    return find_port

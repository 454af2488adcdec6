"""The program and a destination, for every test of the whole."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.destination import Destination
from tests.whole.hookport import Hookport


@pytest.fixture
def hookport(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Hookport]:
    """Not started yet."""
    made = Hookport(tmp_path, port=free_port(), admin=free_port())
    yield made
    made.close()


@pytest.fixture
def destination(free_port: Callable[[], int]) -> Iterator[Destination]:
    """Started, and answering 200."""
    made = Destination(port=free_port()).start()
    yield made
    made.stop()

"""A destination for the tests that let a whole process deliver."""

from collections.abc import Callable, Iterator

import pytest

from tests.whole.destination import Destination


@pytest.fixture
def destination(free_port: Callable[[], int]) -> Iterator[Destination]:
    """Started, and answering 200."""
    made = Destination(port=free_port()).start()
    yield made
    made.stop()

"""File handles of the test's own process on Linux and macOS: for a while there are none, as where something else took them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_left(leave: int = 0) -> Iterator[None]:
    """Take every handle but so many while the block runs."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/dev/fd"))  # noqa: PTH208 - numbers, not paths
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], highest + 16), before[1]))
    taken: list[int] = []
    try:
        _take(taken)
        for _ in range(leave):
            os.close(taken.pop())
        yield
    finally:
        for handle in taken:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _take(taken: list[int]) -> None:
    try:
        while True:
            taken.append(os.dup(2))
    except OSError:
        return

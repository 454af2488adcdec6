"""Limits of a process on Linux and macOS: set between fork and exec, so that nothing of the program knows of them."""

import resource
import sys
from collections.abc import Callable

STACK = 1024 * 1024


def with_memory(size: int) -> Callable[[], None]:
    """At most so many bytes of its own to write to. What is only reserved counts as well: so each thread's stack is small."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, STACK))
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))

    return limit


def with_handles(count: int) -> Callable[[], None]:
    """At most so many open files and connections."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def most_handles() -> int:
    """How many a process may have that asks for them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard

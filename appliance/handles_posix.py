"""File handles on Linux and macOS: each connection takes one, and the usual soft limit is too low for many senders."""

import resource

WANTED = 16_384


def allow_many_handles() -> None:
    """Raise the soft limit towards the hard one, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def handles() -> int | None:
    """How many this process may have; None: as many as it likes."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft

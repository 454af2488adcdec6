"""Ports of loopback for programs under test."""

import os
import socket

# Below the ports that systems give to connections and to whoever binds port 0, so that nobody takes one before its program.
_FIRST, _EACH, _WORKERS = 20_000, 1_500, 8
_given = 0


def free_port() -> int:
    """A port that nobody listens on, another one at each call; test processes that run side by side have ports apart."""
    global _given  # noqa: PLW0603 - a process gives each port once, whoever asks
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    first = _FIRST + _EACH * (int(worker.removeprefix("gw")) % (_WORKERS - 1) + 1 if worker else 0)
    for _ in range(_EACH):
        port = first + (os.getpid() * 61 + _given) % _EACH
        _given += 1
        if _is_free(port):
            return port
    raise OSError(f"none of the ports {first} to {first + _EACH - 1} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

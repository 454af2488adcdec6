"""The port: a listening socket of our own, and in words why there is none."""

import errno
import socket

from touchpoints.handles import handle_lacks, no_handle_left
from touchpoints.problem import Problem, ProblemError, problem

BACKLOG = 1024
_WSAEACCES = 10013
_TAKEN = {errno.EADDRINUSE, 10048}
_DENIED = {errno.EACCES, errno.EPERM, _WSAEACCES}
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, 10047, 10049}


def open_port(address: str, port: int) -> socket.socket:
    """A non-blocking listening socket that no other program can share; port 0 takes any.

    `address` is numeric or a name of this machine. Blocks while a name is looked up.

    Raises ProblemError: port_taken, port_denied, address_not_here, listener_no_handles, listen_failed.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        if no_handle_left(error) or handle_lacks():  # what looks a name up does not always say why
            raise ProblemError(problem("listener_no_handles", address=address, port=port)) from error
        raise ProblemError(problem("address_not_here", address=address)) from error
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ProblemError(_why(error, address, port)) from error
    try:
        _bind(sock, where)
    except OSError as error:
        sock.close()
        raise ProblemError(_why(error, address, port)) from error
    return sock


def _bind(sock: socket.socket, where: tuple[str | int, ...] | tuple[int, bytes]) -> None:
    _own(sock)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if where[0] == "::" else 1)
    sock.bind(where)
    sock.listen(BACKLOG)
    sock.setblocking(False)


def _own(sock: socket.socket) -> None:
    """On Windows reuse would let another program take the port over; elsewhere it only skips the wait after a close."""
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)


def _why(error: OSError, address: str, port: int) -> Problem:
    number = error.errno
    if no_handle_left(error):
        return problem("listener_no_handles", address=address, port=port)
    if number in _TAKEN:
        return problem("port_taken", address=address, port=port, free=_free_port(address, port))
    if number in _DENIED:
        return problem("port_denied", address=address, port=port, free=_free_port(address, max(port, 8420)))
    if number in _NOT_HERE:
        return problem("address_not_here", address=address)
    return problem("listen_failed", address=address, port=port, error=error.strerror or error)


def _free_port(address: str, near: int) -> int:
    """A port that can be bound now, the next ones above `near` first."""
    for port in (*range(near + 1, min(near + 20, 65536)), 0):
        try:
            family, _, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                _own(sock)
                sock.bind(where)
                return int(sock.getsockname()[1])
        except OSError:
            continue
    return 0

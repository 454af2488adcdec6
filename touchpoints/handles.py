"""File handles: each connection and each open file takes one, and a process, or its machine, can have no more of them."""

import errno
import os

_NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE, 10024})  # the last is Windows' WSAEMFILE


def no_handle_left(error: BaseException | None) -> bool:
    """Whether an error, or what it comes from, is that there was no handle left."""
    while error is not None:
        # A TLS library's errors are OSErrors too, whose numbers are its own.
        if isinstance(error, OSError) and type(error).__module__ != "ssl" and error.errno in _NONE_LEFT:
            return True
        error = error.__cause__
    return False


def handle_lacks() -> bool:
    """Whether there is none left just now: for what fails without a word of why, as SQLite does."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return no_handle_left(error)
    return False

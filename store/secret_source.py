"""Where a secret is read from when it isn't written out: `env:NAME` or `file:PATH`."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from touchpoints.problem import ProblemError, problem

LARGEST_FILE = 65_536
_PREFIXES = ("env:", "file:")


def is_source(text: str) -> bool:
    """Whether a text names a source rather than being a secret."""
    return text.startswith(_PREFIXES)


def absolute_source(text: str, base: Path) -> str:
    """The source with its file named from the root; `base` is the folder relative names start from."""
    return f"file:{base / text[5:]}" if text.startswith("file:") and "\0" not in text else text


def read_source(source: str, environment: Mapping[str, str], *, path: str = "") -> str:
    """The secret at a source. Raises ProblemError: secret_environment, secret_file; `path` is where the source is named."""
    kind, _, name = source.partition(":")
    if kind == "env":
        if value := environment.get(name):
            return value
        raise ProblemError(problem("secret_environment", path=path, name=ascii(name[:100])[1:-1]))
    try:
        return _read_line(Path(name))
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else str(error)) or "unknown"
        raise ProblemError(problem("secret_file", path=path, file=ascii(name[:200])[1:-1], why=why)) from None


def _read_line(file: Path) -> str:
    """A file's content without the line end after it. Raises OSError, or ValueError in words."""
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no file")
        content = opened.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"it is larger than {LARGEST_FILE} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it isn't UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError("it is empty")
    return text

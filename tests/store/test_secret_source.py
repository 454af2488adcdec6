"""Secrets from the environment and from files."""

import os
import sys
from pathlib import Path

import pytest

from store.secret_source import LARGEST_FILE, absolute_source, is_source, read_source
from touchpoints.problem import ProblemError


def code(source: str) -> str:
    with pytest.raises(ProblemError) as caught:
        read_source(source, {"EMPTY": ""}, path="here")
    assert caught.value.problems[0].path == "here"
    return caught.value.problems[0].code


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hush", "hush"),
        (b"hush\n", "hush"),
        (b"hush\r\n", "hush"),
        (b"hush\n\n", "hush\n"),
        (b"\xef\xbb\xbfhush", "hush"),
        (b" h ", " h "),
    ],
)
def test_one_line_end_is_not_part_of_the_secret(tmp_path: Path, content: bytes, secret: str) -> None:
    """Editors end a file with a line end; everything else is the secret."""
    (tmp_path / "s").write_bytes(content)
    assert read_source(absolute_source("file:s", tmp_path), {}) == secret


def test_a_variable_is_a_secret() -> None:
    """env:NAME is the variable's value, exactly."""
    assert read_source("env:A", {"A": " x\n"}) == " x\n"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", b"x" * (LARGEST_FILE + 1)])
def test_a_file_that_holds_no_secret_is_told(tmp_path: Path, content: bytes) -> None:
    """Empty, binary and huge files are refused."""
    (tmp_path / "s").write_bytes(content)
    assert code(f"file:{tmp_path / 's'}") == "secret_file"


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing file, a folder, a name no file can have, and a variable that is missing or empty."""
    assert code(f"file:{tmp_path / 'gone'}") == "secret_file"
    assert code(f"file:{tmp_path}") == "secret_file"
    assert code("file:\0") == "secret_file"
    assert code("env:GONE") == "secret_environment"
    assert code("env:EMPTY") == "secret_environment"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs in folders")
def test_a_pipe_does_not_hang_the_start(tmp_path: Path) -> None:
    """Only regular files are read."""
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
    assert code(f"file:{tmp_path / 'pipe'}") == "secret_file"


def test_only_env_and_file_are_sources() -> None:
    """Anything else is the secret itself."""
    assert [is_source(text) for text in ("env:A", "file:a", "ENV:A", "whsec_env:", "http://x")] == [
        True,
        True,
        False,
        False,
        False,
    ]

"""Processes that a benchmark starts, and always ends."""

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A benchmark cannot be run, in words."""


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hookport-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, ready: str = "", seconds: float = 60.0
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child for as long as the block takes; with `ready`, once that URL answers. Raises BenchError with what it wrote."""
    with log.open("ab") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        if ready:
            _await(child, ready, log, seconds)
        yield child
    finally:
        end(child)


def end(child: "subprocess.Popen[Any]", patience: float = 20.0) -> None:
    """Ask it to end, then make it."""
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _await(child: "subprocess.Popen[bytes]", url: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not answers(url):
        if child.poll() is not None or time.monotonic() > deadline:
            told = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise BenchError(f"{Path(str(child.args[0])).name} did not come up at {url}:\n{told}")  # type: ignore[index]
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether something speaks HTTP there."""
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - always http, and loopback
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def finished(command: Sequence[str], *, seconds: float) -> str:
    """The output of a command. Raises BenchError when it fails or takes longer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{' '.join(command[:3])} took longer than {seconds:.0f} s") from error
    if done.returncode:
        raise BenchError(f"{' '.join(command[:3])} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def module(name: str, *arguments: str) -> list[str]:
    """The command for a module of ours."""
    return [sys.executable, "-m", name, *arguments]

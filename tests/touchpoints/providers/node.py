"""Running the senders' own JavaScript libraries, which come from tests/npm."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

SIGNERS = Path(__file__).parents[2] / "signers"


def node(script: str, *arguments: str, lines: Sequence[str] = ()) -> list[str]:
    """The lines that a program of tests/signers prints for these lines."""
    program = shutil.which("node")
    if program is None or not (SIGNERS.parent / "npm" / "node_modules").is_dir():
        pytest.skip("node and the packages of tests/npm are not installed")
    command = [program, str(SIGNERS / script), *arguments]
    done = subprocess.run(
        command, input="".join(f"{line}\n" for line in lines).encode(), capture_output=True, timeout=60, check=True
    )
    return done.stdout.decode("utf-8").splitlines()

"""Which program the storms kill."""

import os
from pathlib import Path

import pytest

from tests.chaos.executables import PARTS, command
from tests.whole.hookport import COMMAND


@pytest.mark.parametrize(("age", "taken"), [(1, False), (-1, True)])
@pytest.mark.skipif("sys.platform == 'win32'")
def test_a_build_of_older_code_is_not_taken_for_this_code(tmp_path: Path, age: float, taken: bool) -> None:
    """What is measured under a commit's name is that commit."""
    for part in PARTS:
        (tmp_path / part).mkdir()
        (tmp_path / part / "one.py").touch()
    build = tmp_path / "hookport"
    assert command(build, root=tmp_path) is COMMAND
    build.touch()
    now = (tmp_path / "web" / "one.py").stat().st_mtime
    os.utime(build, (now - age, now - age))
    command.cache_clear()
    assert command(build, root=tmp_path) == ((str(build),) if taken else COMMAND)
    command.cache_clear()

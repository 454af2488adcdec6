"""Going back to an older program: it refuses the files of a newer one, says so in words, and leaves them alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.released.living import ports
from tests.released.sets import FILES, frozen_sets
from tests.whole.hookport import Hookport


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_a_newer_version_is_refused_in_words(hookport: Hookport, tmp_path: Path, kind: str) -> None:
    """Whichever of the four it is: exit 1, both versions, what to do; and not a byte of it is another."""
    frozen_sets()[-1].make(tmp_path, ports())
    role, name = FILES[kind]
    hookport.data = tmp_path / role
    with closing(sqlite3.connect(hookport.data / name)) as db:
        db.execute("PRAGMA user_version = 999")
    before = (hookport.data / name).read_bytes()

    command = ("run",) if role == "one" else ("proxy", "run")
    refused = hookport.run(*command, "--admin", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "[store_newer]" in refused.stderr
    assert "file version 999; this one knows up to" in refused.stderr
    assert "Start the newer Hookport again." in refused.stderr
    assert "hookport restore FILE" in refused.stderr
    assert refused.stderr.startswith(str(hookport.data / name))
    assert (hookport.data / name).read_bytes() == before


def test_other_commands_refuse_it_too(hookport: Hookport, tmp_path: Path) -> None:
    """A look at what is stored is no way past it."""
    frozen_sets()[-1].make(tmp_path, ports())
    hookport.data = tmp_path / "one"
    with closing(sqlite3.connect(hookport.data / "events.db")) as db:
        db.execute("PRAGMA user_version = 999")
    asked = hookport.run("events", "list")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "[store_newer]" in asked.stderr

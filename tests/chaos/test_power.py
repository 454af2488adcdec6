"""The library that loses what was not fsynced: it really does, and only that."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.power import library
from tests.verify.case import LeftOutError

CUTS = (60, 150, 300)  # writes until the power fails
WRITER = """
import sqlite3, sys

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute(f"PRAGMA synchronous = {sys.argv[2]}")
db.execute("CREATE TABLE promised (n INTEGER PRIMARY KEY, body BLOB)")
for n in range(5000):
    db.execute("INSERT INTO promised VALUES (?, randomblob(500))", (n,))
    print(n, flush=True)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library."""
    try:
        return library(tmp_path_factory.mktemp("power"))
    except LeftOutError as error:
        pytest.skip(str(error))


def _left(made: Path, folder: Path, synchronous: str, after: int) -> tuple[set[int], set[int]]:
    """What a program was told to be stored until the power failed, and what of it is there."""
    folder.mkdir()
    given = {"HOOKPORT_POWER_FOLDER": str(folder), "HOOKPORT_POWER_AFTER": str(after), "HOOKPORT_POWER_SEED": str(after)}
    command = [sys.executable, "-c", WRITER, str(folder / "a.db"), synchronous]
    ended = subprocess.run(command, env={**os.environ, **given, "LD_PRELOAD": str(made)}, capture_output=True, check=False)
    assert ended.returncode != 0, "the power did not fail"
    (folder / "a.db-shm").unlink(missing_ok=True)  # memory
    told = {int(n) for n in ended.stdout.split()}
    with closing(sqlite3.connect(folder / "a.db")) as db:
        try:
            return told, {n for (n,) in db.execute("SELECT n FROM promised")}
        except sqlite3.Error:  # not even the table
            return told, set()


@pytest.mark.parametrize("after", CUTS)
def test_what_is_not_synced_is_lost(made: Path, tmp_path: Path, after: int) -> None:
    """The control: were the library to forget nothing, or the product not to sync, one would not know it from the other."""
    told, left = _left(made, tmp_path / "off", "OFF", after)
    assert told
    assert told - left


@pytest.mark.parametrize("after", CUTS)
def test_what_is_synced_is_there(made: Path, tmp_path: Path, after: int) -> None:
    """The same writer, and SQLite as the product has it."""
    told, left = _left(made, tmp_path / "full", "FULL", after)
    assert told
    assert told <= left

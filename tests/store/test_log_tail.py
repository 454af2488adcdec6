"""A damaged write-ahead log: what was committed and cannot be read is noticed; what a crash leaves is not taken for damage."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from store.sqlite.log_tail import has_lost_commits

FRAME = 24 + 8192


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of a few generations, whose present one holds twenty commits of one or more pages."""
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    db.executescript("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)")
    for _ in range(60):
        db.execute("INSERT INTO t VALUES (randomblob(20000))")
    db.execute("PRAGMA wal_checkpoint(RESTART)")
    for _ in range(20):
        db.execute("INSERT INTO t VALUES (randomblob(9000))")
    shutil.copy(tmp_path / "a.db", tmp_path / "base.db")
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "a.db-wal", copy)
    db.close()
    return copy


def test_a_whole_log_has_lost_nothing(log: Path) -> None:
    """With left-overs of an older generation behind its end, or none, or nothing at all."""
    assert not lost(log)
    live = _live(log)
    assert live < (log.stat().st_size - 32) // FRAME
    _cut(log, 32 + live * FRAME)
    assert not lost(log)
    _cut(log, 20)
    assert not lost(log)


@pytest.mark.parametrize("seed", range(40))
def test_a_fault_before_a_later_commit_is_noticed(log: Path, seed: int) -> None:
    """In whatever byte: of a page, of a checksum, of a salt, or of the log's header."""
    chance = random.Random(seed)
    last = 32 + (_live(log) - 8) * FRAME  # the last transactions tell nothing of each other
    data = bytearray(log.read_bytes())
    data[chance.randrange(32 if seed % 10 == 0 else last)] ^= 1 << chance.randrange(8)
    log.write_bytes(data)
    assert lost(log)


def test_a_crash_in_the_midst_of_a_write_is_no_damage(log: Path) -> None:
    """The last transaction's pages came to the disk in no order, or in part."""
    live = _live(log)
    whole = log.read_bytes()
    for kept in range(1, 4):
        data = bytearray(whole)
        at = 32 + (live - kept) * FRAME
        data[at + 30 : at + 4000] = bytes(3970)
        log.write_bytes(data)
        commits = _commits(whole, live - kept, live)
        assert lost(log) == (commits > 1)


def lost(log: Path) -> bool:
    """As it is asked: with what SQLite reads of it."""
    place = log.with_name("again.db")
    shutil.copy(log.with_name("base.db"), place)
    shutil.copy(log, log.with_name("again.db-wal"))
    db = sqlite3.connect(place, isolation_level=None)
    try:
        (_, readable, _) = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return has_lost_commits(log.with_name("again.db-wal"), readable=max(0, readable))
    finally:
        db.close()


def _live(log: Path) -> int:
    """How many frames are of the present generation."""
    data = log.read_bytes()
    return sum(data[at + 8 : at + 16] == data[16:24] for at in range(32, len(data) - FRAME + 1, FRAME))


def _commits(data: bytes, first: int, last: int) -> int:
    return sum(data[32 + number * FRAME + 4 : 32 + number * FRAME + 8] != bytes(4) for number in range(first, last))


def _cut(log: Path, size: int) -> None:
    log.write_bytes(log.read_bytes()[:size])

"""Archives that are damaged, in every place."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.backup.archive import files_of, read_key, read_manifest, unpack, write_archive
from appliance.backup.sealed_key import seal_key
from store.backup import Counted
from touchpoints.problem import ProblemError

PASSPHRASE = "seven lazy herons"
KEY_BYTES = bytes(range(32))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small one, with a key, of files that compress a little."""
    chance = random.Random(7)
    packed = tmp_path / "packed"
    packed.mkdir()
    for name in files_of("agent"):
        (packed / name).write_bytes(bytes(chance.choice(b"abcdefgh") for _ in range(900)))
    target = tmp_path / "whole.backup"
    key = seal_key(KEY_BYTES, PASSPHRASE, random.Random(8).randbytes)
    write_archive(target, packed, role="agent", made_at=7, version="0.1.0", instance="i", counted=Counted(events=1), key=key)
    return target


def damaged(whole: bytes) -> Iterator[bytes]:
    """Each byte in turn another one, and what is left of the file when it ends early."""
    for place, byte in enumerate(whole):
        yield whole[:place] + bytes([byte ^ (1 << place % 8)]) + whole[place + 1 :]
    for end in range(0, len(whole), 97):
        yield whole[:end]


def test_no_damage_is_anything_but_told_or_harmless(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of many layers reads it, each with errors of its own: whichever it is, a person is told, and by one code."""
    monkeypatch.setattr("appliance.backup.archive.os.fsync", lambda _handle: None)
    whole = archive.read_bytes()
    made, told, harmless = tmp_path / "damaged.backup", Counter[str](), 0
    for number, content in enumerate(damaged(whole)):
        made.write_bytes(content)
        folder = tmp_path / f"into-{number}"
        folder.mkdir()
        try:
            manifest = unpack(made, folder)
        except ProblemError as error:
            told[error.problems[0].code] += 1
            continue
        for name in manifest.files:
            assert (folder / name).read_bytes() == (tmp_path / "packed" / name).read_bytes()
        harmless += 1
    assert told.keys() == {"backup_unreadable"}
    assert told["backup_unreadable"] > len(whole) // 2
    assert harmless


def test_a_key_is_read_or_its_damage_told(tmp_path: Path, archive: Path) -> None:
    """By a code of its own where only the passphrase tells; what is written wrong elsewhere is no backup."""
    assert read_key(archive, PASSPHRASE) == KEY_BYTES
    whole = archive.read_bytes()
    start = whole.index(b"secret.key.sealed")
    made = tmp_path / "damaged.backup"
    told = Counter[str]()
    for place in range(start, start + 200, 7):
        made.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert read_key(made, PASSPHRASE) == KEY_BYTES
        except ProblemError as error:
            told[error.problems[0].code] += 1
    assert told["backup_unreadable"] > 20
    assert told.keys() <= {"backup_unreadable", "backup_passphrase_wrong"}


def test_a_disk_that_is_full_is_not_the_backups_fault(tmp_path: Path, archive: Path) -> None:
    """What cannot be written is told as that."""
    assert read_manifest(archive).counted.events == 1
    with pytest.raises(OSError, match="No such file"):
        unpack(archive, tmp_path / "not there")

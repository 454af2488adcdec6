"""The folders that killed launchers leave behind: ours go, and nobody else's."""

import os
import sys
from pathlib import Path

import pytest

from appliance.extraction import MARK, MARKED, claim, sweep


def unpacked(parent: Path, name: str) -> Path:
    """A folder as a launcher makes it."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    (folder / "base_library.zip").write_bytes(b"x")
    (folder / MARK).write_bytes(MARKED)
    return folder


def left_behind(parent: Path, name: str) -> Path:
    """One whose process is gone."""
    folder = unpacked(parent, name)
    held = claim(folder)
    assert held is not None
    held.close()
    return folder


def test_what_a_killed_launcher_left_is_swept(tmp_path: Path) -> None:
    """Nobody holds its mark any more; our own stays."""
    own, old = unpacked(tmp_path, "_MEIown"), left_behind(tmp_path, "_MEIold")
    held = claim(own)
    assert held is not None
    assert sweep(tmp_path, own=own) == [old]
    assert own.is_dir()
    assert not old.exists()
    held.close()


def test_a_living_instance_keeps_its_folder(tmp_path: Path) -> None:
    """Its mark is locked for as long as it lives, and then no longer."""
    other = unpacked(tmp_path, "_MEIother")
    held = claim(other)
    assert held is not None
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == []
    assert (other / "base_library.zip").exists()
    held.close()
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == [other]


def test_a_process_that_shares_a_folder_does_not_claim_it(tmp_path: Path) -> None:
    """A command started by the executable itself lives off the same folder."""
    folder = unpacked(tmp_path, "_MEIshared")
    held = claim(folder)
    assert held is not None
    assert claim(folder) is None
    held.close()


def test_one_that_is_just_starting_is_left_alone_for_a_while(tmp_path: Path) -> None:
    """Unpacked, and not yet claimed; killed in that moment, it goes at a later start."""
    folder = unpacked(tmp_path, "_MEIstarting")
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == []
    os.utime(folder, (1, 1))
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == [folder]


@pytest.mark.parametrize("content", [None, b"", b"somebody else's", MARKED[:20], MARKED + b"and more"])
def test_other_programs_folders_stay(tmp_path: Path, content: bytes | None) -> None:
    """Without our whole mark it is another program's, however old."""
    folder = unpacked(tmp_path, "_MEIstranger")
    (folder / MARK).unlink()
    if content is not None:
        (folder / MARK).write_bytes(content)
    os.utime(folder, (1, 1))
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == []
    assert folder.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are POSIX")
def test_links_and_open_folders_stay(tmp_path: Path) -> None:
    """A link leads elsewhere, and in a folder that others may enter the mark may be anybody's."""
    kept = left_behind(tmp_path, "kept")
    (tmp_path / "_MEIlink").symlink_to(kept)
    opened = left_behind(tmp_path, "_MEIopen")
    opened.chmod(0o755)
    linked = unpacked(tmp_path, "_MEImark")
    (linked / MARK).unlink()
    (linked / MARK).symlink_to(kept / MARK)
    assert sweep(tmp_path, own=tmp_path / "_MEIown") == []
    assert (kept / "base_library.zip").exists()
    assert opened.is_dir()
    assert linked.is_dir()


def test_a_folder_that_cannot_be_read_is_no_failure(tmp_path: Path) -> None:
    """Neither a missing parent nor a missing folder keeps the program from starting."""
    assert sweep(tmp_path / "nowhere", own=tmp_path) == []
    assert claim(tmp_path / "nowhere") is None

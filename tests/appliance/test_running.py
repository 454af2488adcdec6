import os
import stat
from pathlib import Path

import pytest

from appliance.data_folder import DataFolder
from appliance.running import Running, clear_running, digest, read_running, write_running


def test_it_is_read_as_it_was_written_and_cleared(tmp_path: Path) -> None:
    """Written again it is replaced; a clean stop leaves neither file, and nothing beside them."""
    folder = DataFolder(path=tmp_path)
    assert read_running(folder) is None
    write_running(folder, Running(pid=1, page="http://127.0.0.1:1"), "old")
    write_running(folder, Running(pid=42, page="http://[::1]:8421"), "token")
    assert read_running(folder) == Running(pid=42, page="http://[::1]:8421")
    assert folder.machine_token.read_text() == "token"
    clear_running(folder)
    clear_running(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_only_the_owner_can_read_the_token(tmp_path: Path) -> None:
    """Whatever stood there before, and whatever the umask."""
    folder = DataFolder(path=tmp_path)
    folder.machine_token.touch(mode=0o666)
    (tmp_path / ".machine.token.new").touch(mode=0o666)
    before = os.umask(0)
    try:
        write_running(folder, Running(pid=1, page=""), "token")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.machine_token.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pid": 1}', b'{"pid": "x", "page": ""}', b"\xff"])
def test_what_cannot_be_read_is_nobody(tmp_path: Path, content: bytes) -> None:
    """A torn or foreign file is a hint that says nothing."""
    folder = DataFolder(path=tmp_path)
    folder.running.write_bytes(content)
    assert read_running(folder) is None


def test_a_token_is_kept_as_its_digest() -> None:
    """Which gives the token not away."""
    assert len(digest("token")) == 32
    assert digest("token") != digest("Token")

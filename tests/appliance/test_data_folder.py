import os
import stat
import sys
from pathlib import Path

import pytest

from appliance.data_folder import DataFolder, locate, prepare, standard_place, sweep_spool
from touchpoints.problem import ProblemError

posix = pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")


def _code(folder: DataFolder) -> str:
    with pytest.raises(ProblemError) as caught:
        prepare(folder)
    return caught.value.problems[0].code


def test_the_folder_that_is_meant() -> None:
    """What is given wins over the environment, and that over the system's place; the result is absolute."""
    environment = {"HOOKPORT_DATA_DIR": "from-environment"}
    assert locate(Path("given"), environment).path == Path("given").absolute()
    assert locate(None, environment).path == Path("from-environment").absolute()
    assert locate(None, {"HOOKPORT_DATA_DIR": ""}).path == standard_place({}, role="hookport").absolute()
    assert standard_place({}, role="hookport") != standard_place({}, role="hookport-proxy")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another place")
def test_the_place_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has the system's place, a person their own."""
    monkeypatch.setattr("appliance.data_folder.is_privileged", lambda: True)
    assert standard_place({}, role="hookport-proxy") == Path("/var/lib/hookport-proxy")
    monkeypatch.setattr("appliance.data_folder.is_privileged", lambda: False)
    assert standard_place({}, role="hookport").is_relative_to(Path.home())


@posix
def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask; and preparing it again changes nothing."""
    folder = DataFolder(path=tmp_path / "deep" / "data")
    before = os.umask(0)
    try:
        prepare(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    (folder.spool / "half.xlsx").touch()
    prepare(folder)
    assert folder.spool.is_dir()
    assert folder.logs.is_dir()
    assert (folder.spool / "half.xlsx").exists()


def test_half_made_files_are_swept(tmp_path: Path) -> None:
    """By who holds the lock, and nothing else is."""
    folder = DataFolder(path=tmp_path / "data")
    prepare(folder)
    (folder.spool / "half.xlsx").touch()
    (folder.path / "kept").touch()
    sweep_spool(folder)
    assert list(folder.spool.iterdir()) == []
    assert (folder.path / "kept").exists()


@posix
def test_a_folder_that_others_may_enter_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    """A name with a space is quoted in it."""
    folder = DataFolder(path=tmp_path / "my data")
    prepare(folder)
    folder.path.chmod(0o750)
    with pytest.raises(ProblemError) as caught:
        prepare(folder)
    assert caught.value.problems[0].code == "data_folder_not_private"
    assert f"chmod 700 '{folder.path}'" in str(caught.value)


@posix
def test_a_folder_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could read every secret."""
    folder = DataFolder(path=tmp_path / "data")
    prepare(folder)
    monkeypatch.setattr(os, "geteuid", lambda: folder.path.stat().st_uid + 1)
    assert _code(folder) == "data_folder_not_private"


def test_a_file_in_its_place_and_in_its_way(tmp_path: Path) -> None:
    """Both are problems in words."""
    (tmp_path / "file").touch()
    assert _code(DataFolder(path=tmp_path / "file")) == "data_folder_is_a_file"
    assert _code(DataFolder(path=tmp_path / "file" / "data")) == "data_folder_unusable"

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("Windows' rights", allow_module_level=True)

from appliance import data_folder_windows, security_windows
from appliance.data_folder import DataFolder, prepare, standard_place
from appliance.data_folder_windows import mend_command
from touchpoints.problem import ProblemError

SYSTEM, ADMINISTRATORS, EVERYBODY = "S-1-5-18", "S-1-5-32-544", "S-1-1-0"


def _refusal(folder: DataFolder) -> str:
    with pytest.raises(ProblemError) as caught:
        prepare(folder)
    assert caught.value.problems[0].code == "data_folder_not_private"
    return str(caught.value)


def test_a_new_folder_is_for_its_owner_administrators_and_system_alone(tmp_path: Path) -> None:
    """A name of any letters; preparing it again changes nothing."""
    folder = DataFolder(path=tmp_path / "tief" / "Hookport Daten äöü ✓")
    prepare(folder)
    rights = security_windows.rights_of(folder.path)
    me = security_windows.account_of_process()
    assert rights.owner == me
    assert {me} <= set(rights.allowed) <= {me, ADMINISTRATORS, SYSTEM}
    assert not rights.everybody
    prepare(folder)
    assert (folder.spool.is_dir(), folder.logs.is_dir()) == (True, True)


def test_a_folder_that_others_may_enter_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    """It takes from each account what is too much, names Windows' own tool by its full path, and quotes what has spaces."""
    folder = DataFolder(path=tmp_path / "my data")
    folder.path.mkdir(mode=0o755)
    said = _refusal(folder)
    assert EVERYBODY in security_windows.rights_of(folder.path).allowed
    assert security_windows.account_name(EVERYBODY) in said
    tool = Path(os.environ["SYSTEMROOT"]) / "System32" / "icacls.exe"
    me = security_windows.account_of_process()
    assert f'{tool} "{folder.path}" /inheritance:r /grant:r "*{me}:(OI)(CI)F"' in said
    assert f'/remove:g "*{EVERYBODY}"' in said


def test_a_folder_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could read every secret: somebody may have made it before us, to wait for them."""
    folder = DataFolder(path=tmp_path / "data")
    prepare(folder)
    monkeypatch.setattr(data_folder_windows, "account_of_process", lambda: "S-1-5-21-1-2-3-1001")
    assert f'/setowner "*{ADMINISTRATORS}"' in _refusal(folder)
    assert "/setowner" in mend_command(folder.path)


def test_what_cannot_be_made_or_read_is_a_problem_in_words(tmp_path: Path) -> None:
    """With Windows' own text."""
    with pytest.raises(OSError, match=r"\S") as caught:
        security_windows.make_folder(tmp_path, owner=security_windows.account_of_process(), accounts=[SYSTEM])
    assert isinstance(caught.value, FileExistsError)
    with pytest.raises(FileNotFoundError):
        security_windows.rights_of(tmp_path / "none")
    assert security_windows.account_name("S-1-5-21-9-9-9-9") == "S-1-5-21-9-9-9-9"


def test_the_standard_place() -> None:
    """Below %ProgramData%, one folder for each role."""
    place = {"PROGRAMDATA": r"D:\Data"}
    assert standard_place(place, role="hookport") == Path(r"D:\Data\Hookport")
    assert standard_place(place, role="hookport-proxy") == Path(r"D:\Data\Hookport-Proxy")
    assert standard_place({}, role="hookport") == Path(r"C:\ProgramData\Hookport")

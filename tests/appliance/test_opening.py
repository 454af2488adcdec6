from pathlib import Path

import pytest

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.instance_lock import InstanceLock
from appliance.opening import AlreadyRunning, open_folder
from appliance.running import Running, write_running
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


async def _made(tmp_path: Path) -> DataFolder:
    folder = DataFolder(path=tmp_path / "data")
    opened = await open_folder(folder, Clock())
    assert opened.is_new
    await opened.close()
    return folder


async def _refused(folder: DataFolder) -> str:
    with pytest.raises(ProblemError) as caught:
        await open_folder(folder, Clock())
    lock = InstanceLock(folder.lock)
    assert lock.acquire(), "a refused opening gives the lock back"
    lock.release()
    return caught.value.problems[0].code


async def test_a_new_folder_is_begun_and_an_old_one_opened(tmp_path: Path) -> None:
    """The key is made once."""
    folder = await _made(tmp_path)
    key = folder.key.read_bytes()
    opened = await open_folder(folder, Clock())
    assert not opened.is_new
    assert opened.trouble is None
    await opened.close()
    assert folder.key.read_bytes() == key


async def test_a_lost_key_is_never_made_anew(tmp_path: Path) -> None:
    """Something is sealed under it: a person must put it back."""
    folder = await _made(tmp_path)
    folder.key.unlink()
    assert await _refused(folder) == "key_file_missing"
    assert not folder.key.exists()


@pytest.mark.parametrize("left", ["key", "events"])
async def test_a_lost_configuration_is_no_new_installation(tmp_path: Path, left: str) -> None:
    """While a key or events are there the program stops in words, and touches neither."""
    folder = await _made(tmp_path)
    for path in (folder.configuration, folder.key, folder.events):
        if path != getattr(folder, left):
            path.unlink()
    before = getattr(folder, left).read_bytes()
    assert await _refused(folder) == "configuration_missing"
    assert getattr(folder, left).read_bytes() == before
    assert not folder.configuration.exists()


async def test_a_second_instance_is_told_of_the_first(tmp_path: Path) -> None:
    """With its page; and what the first one is just making is left alone."""
    folder = DataFolder(path=tmp_path / "data")
    opened = await open_folder(folder, Clock())
    write_running(folder, Running(pid=4711, page="http://127.0.0.1:8421"), "token")
    (folder.spool / "export.xlsx").touch()
    with pytest.raises(AlreadyRunning) as caught:
        await open_folder(folder, Clock())
    assert caught.value.page == "http://127.0.0.1:8421"
    assert "4711" in str(caught.value)
    assert (folder.spool / "export.xlsx").exists()
    await opened.close()
    opened = await open_folder(folder, Clock())
    assert not (folder.spool / "export.xlsx").exists()
    await opened.close()


async def test_a_damaged_events_file_leaves_the_configuration_standing(tmp_path: Path) -> None:
    """It is moved aside, and its places answer that they are unavailable."""
    folder = await _made(tmp_path)
    folder.events.write_bytes(b"no database at all, and long enough to be one" * 100)
    opened = await open_folder(folder, Clock())
    assert opened.events is not None
    assert opened.events.state == "corrupt"
    assert (await opened.configuration.load({})).touchpoints == ()
    await opened.close()
    assert len(list(folder.path.glob("events.corrupt-*"))) == 1


async def test_what_the_system_refuses_is_told_in_words(tmp_path: Path) -> None:
    """A lock file that is a folder, for instance."""
    folder = await _made(tmp_path)
    folder.lock.unlink()
    folder.lock.mkdir()
    with pytest.raises(ProblemError) as caught:
        await open_folder(folder, Clock())
    assert caught.value.problems[0].code == "data_folder_unusable"

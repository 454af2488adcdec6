"""A process that ends for a fault of its own gives its folder back as one that was asked to."""

from pathlib import Path
from typing import Any

import pytest

from appliance import process
from appliance.data_folder import DataFolder
from appliance.options import RunOptions
from appliance.role import Kind

pytestmark = pytest.mark.anyio


class Falling:
    """A role, and its folder, that come to an end while they begin; `done` is what was done to them."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder, self.opened, self.done = folder, self, list[str]()

    async def load(self) -> None:
        raise OSError("a disk that fails")

    async def break_off(self) -> None:
        self.done.append("broken off")

    async def close(self) -> None:
        self.done.append("closed")


async def test_a_backup_is_broken_off_before_the_folder_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread works in there; another start would sweep that away."""
    roles = list[Falling]()

    async def opened(folder: DataFolder, *_: Any) -> Any:
        roles.append(Falling(folder))
        return roles[0]

    for name in ("set_up_logs", "allow_many_handles", "give_memory_back"):
        monkeypatch.setattr(process, name, lambda *_: None, raising=False)
    kind = Kind(name="agent", folder="hookport", port=8421, open=opened)
    options = RunOptions(data_dir=tmp_path, admin="127.0.0.1:0", config=None, no_browser=True)
    with pytest.raises(OSError, match="a disk that fails"):
        await process._run(options, {}, kind)
    assert roles[0].done == ["broken off", "closed"]

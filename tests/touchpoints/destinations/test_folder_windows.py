import sys
import threading
from pathlib import Path

import pytest

from tests.touchpoints.destinations.jobs import job
from touchpoints.attempt import Delivered, Failed
from touchpoints.destinations.folder import FolderSender
from touchpoints.touchpoint import FolderDestination

if sys.platform != "win32":
    pytest.skip("Windows keeps a file that is open", allow_module_level=True)

pytestmark = pytest.mark.anyio


def _sender(folder: Path) -> FolderSender:
    return FolderSender(FolderDestination(id=1, name="in", path=str(folder)))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_file_that_is_read_is_replaced_a_moment_later(tmp_path: Path) -> None:
    """Whoever watches the folder reads the file of an earlier attempt: the repeat waits for it."""
    folder = tmp_path / "ERP in äöü ✓"
    folder.mkdir()
    sender = _sender(folder)
    assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
    (written,) = _files(folder)
    reading = written.open("rb")
    timer = threading.Timer(0.15, reading.close)
    timer.start()
    assert isinstance(await sender.attempt(job(), touchpoint="orders"), Delivered)
    timer.join()
    assert _files(folder) == [written]
    await sender.aclose()


async def test_a_file_that_stays_open_is_a_failure_in_words(tmp_path: Path) -> None:
    """It is tried again later; what was written aside is gone."""
    sender = _sender(tmp_path)
    await sender.attempt(job(), touchpoint="orders")
    (written,) = _files(tmp_path)
    with written.open("rb"):
        outcome = await sender.attempt(job(), touchpoint="orders")
    assert isinstance(outcome, Failed)
    assert outcome.code == "folder_denied"
    assert _files(tmp_path) == [written]
    await sender.aclose()

"""When the disk does not do its part: nothing is answered 2xx that is not on it, and what can recover does so by itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.whole.destination import Destination
from tests.whole.hookport import HURRIED, Hookport
from tests.whole.senders import github, touchpoint

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root on Linux")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def _post(hookport: Hookport, number: int, size: int = 20_000) -> int:
    body = b"%06d" % number + b"x" * size
    return httpx.post(hookport.url("orders"), content=body, headers=github(body, f"d{number}"), timeout=30).status_code


def _fill(place: Path) -> Path:
    """Take all the room there is."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


@pytest.mark.parametrize("floor", ["0", "4MiB"])
def test_a_full_disk_is_answered_503_and_recovers_by_itself(
    hookport: Hookport, destination: Destination, small_disk: Path, floor: str
) -> None:
    """Above the floor events come in; below it, or at the very end of the disk, 503; with room again they come in."""
    hookport.data = small_disk / "data"
    hookport.configure(touchpoint("orders", destination.url) + f'[retention]\nfree_disk = "{floor}"\n')
    hookport.start()
    accepted = [number for number in range(20) if _post(hookport, number) == 200]
    assert len(accepted) == 20

    filler = _fill(small_disk)
    number, refused = 100, 0
    while refused < 3 and number < 2000:
        status = _post(hookport, number)
        assert status in (200, 503)
        if status == 200:
            accepted.append(number)
        refused += status == 503
        number += 1
    assert refused == 3
    assert hookport.await_status(lambda status: status["needs_you"])["needs_you"][0]["code"] in (
        "events_store_down",
        "disk_low",
        "destination_down",
    )

    filler.unlink()
    hookport.await_status(lambda _: _post(hookport, 5000) == 200)
    hookport.settled()
    arrived = {int(got.body[:6]) for got in destination.got}
    assert set(accepted) | {5000} <= arrived


def test_the_size_limit_is_answered_503(hookport: Hookport) -> None:
    """With retention.size reached and nothing that may go, nothing more is taken in."""
    hookport.command = HURRIED
    hookport.configure(touchpoint("orders", "http://127.0.0.1:1/") + '[retention]\nsize = "4MiB"\n')
    hookport.start()
    statuses = [_post(hookport, number, MIB) for number in range(5)]
    assert statuses[0] == 200
    hookport.await_status(lambda status: any(need["code"] == "store_full" for need in status["needs_you"]))
    assert _post(hookport, 100) == 503

    hookport.configure(touchpoint("orders", "http://127.0.0.1:1/") + '[retention]\nsize = "0"\n')
    assert hookport.run("config", "apply", str(hookport.config)).returncode == 0
    hookport.await_status(lambda _: _post(hookport, 101) == 200)


def test_a_read_only_folder_stops_in_words(hookport: Hookport, small_disk: Path) -> None:
    """A folder that cannot be written is named, with what to do."""
    hookport.data = small_disk / "data"
    hookport.start()
    hookport.stop()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = hookport.run("run", "--admin", "127.0.0.1:0")

    assert refused.returncode == 1
    assert "data_folder_unusable" in refused.stderr or "store_read_only" in refused.stderr
    assert "Traceback" not in refused.stderr

import asyncio
import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.touchpoints.destinations.jobs import NOW, job
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations import folder as folder_module
from touchpoints.destinations.folder import FolderSender
from touchpoints.destinations.registry import open_sender
from touchpoints.touchpoint import FolderDestination

pytestmark = pytest.mark.anyio

IS_ROOT = sys.platform != "win32" and os.geteuid() == 0
NAME = "01JDXEVENT0000000000000000-abcdefgh"


async def written(path: Path, made: Job | None = None, *, metadata: bool = False) -> Outcome:
    destination = FolderDestination(id=1, name="in", path=str(path), metadata=metadata)
    sender = open_sender(destination, environment={}, now=lambda: NOW)
    try:
        return await sender.attempt(made or job(), touchpoint="orders")
    finally:
        await sender.aclose()


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def failure(path: Path) -> Failed:
    outcome = await written(path)
    assert isinstance(outcome, Failed)
    assert outcome.blame is Blame.DESTINATION
    return outcome


@pytest.mark.parametrize(
    ("content_type", "ending"),
    [
        (b"application/json", "json"),
        (b"Application/JSON; charset=utf-8", "json"),
        (b"application/vnd.api+json", "json"),
        (b"text/json", "json"),
        (b"text/xml", "xml"),
        (b"application/soap+xml;charset=utf-8", "xml"),
        (b"text/csv; header=present", "csv"),
        (b"text/plain", "txt"),
        (b"application/x-www-form-urlencoded", "txt"),
        (b"application/octet-stream", "bin"),
        (b"application/jsonp", "bin"),
        (b"../../etc/json\x00", "bin"),
        (b"", "bin"),
    ],
)
async def test_the_name_says_what_is_in_it(content_type: bytes, ending: str, tmp_path: Path) -> None:
    """The file is named by delivery and content type, and holds the body's bytes."""
    body = bytes(range(256))
    assert await written(tmp_path, job(body, headers=((b"content-type", content_type),))) == Delivered()
    assert names(tmp_path) == [f"{NAME}.{ending}"]
    assert (tmp_path / f"{NAME}.{ending}").read_bytes() == body


async def test_without_content_type(tmp_path: Path) -> None:
    """A body of unknown kind is `bin`, an empty one a file of no bytes."""
    await written(tmp_path, job(b"", headers=()))
    assert (tmp_path / f"{NAME}.bin").read_bytes() == b""


async def test_metadata_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `metadata`, a JSON file with type, headers and times is there before the body, without the sender's secrets."""
    order: list[str] = []
    put = folder_module._put_file

    def noted(path: Path, content: bytes) -> None:
        put(path, content)
        order.append(path.name)

    monkeypatch.setattr(folder_module, "_put_file", noted)
    headers = ((b"content-type", b"application/json"), (b"cookie", b"secret"), (b"x-a", b"\xff"), (b"x-a", b"2"))
    await written(tmp_path, job(headers=headers, kind="orders/create", attempts=2), metadata=True)
    assert order == [f"{NAME}.meta.json", f"{NAME}.json"]
    facts = json.loads((tmp_path / f"{NAME}.meta.json").read_text(encoding="utf-8"))
    assert facts["headers"] == [["content-type", "application/json"], ["x-a", "\xff"], ["x-a", "2"]]
    assert (facts["event_type"], facts["attempt"], facts["touchpoint"]) == ("orders/create", 3, "orders")
    assert facts["received_at"] == "2027-01-15T08:00:00.000000Z"


async def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    """A second attempt leaves the same one file."""
    for _ in range(2):
        assert await written(tmp_path) == Delivered()
    assert [(tmp_path / name).read_bytes() for name in names(tmp_path)] == [b'{"a": 1}']


async def test_a_crash_leaves_at_most_one_file_which_the_repeat_replaces(tmp_path: Path) -> None:
    """A half-written file of a crash stands aside under a hidden name, and is gone after the next attempt."""
    (tmp_path / f".{NAME}.json.tmp").write_bytes(b"ha")
    await written(tmp_path)
    assert names(tmp_path) == [f"{NAME}.json"]


async def test_a_watcher_never_sees_half_a_file(tmp_path: Path) -> None:
    """Whatever carries the final name has all its bytes, at every moment."""
    body = bytes(4_000_000)
    seen: set[int] = set()
    final = tmp_path / f"{NAME}.json"
    task = asyncio.create_task(written(tmp_path, job(body)))
    while not task.done():
        if final.exists():
            seen.add(final.stat().st_size)
        await asyncio.sleep(0)
    seen.add(final.stat().st_size)
    assert await task == Delivered()
    assert seen == {len(body)}


async def test_an_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    """An id that came from elsewhere and is a path trick becomes a plain name."""
    inner = tmp_path / "in"
    inner.mkdir()
    made = job()
    object.__setattr__(made.delivery, "id", "../../x\0:y")
    assert await written(inner, made) == Delivered()
    assert names(inner) == ["______x__y.json"]
    assert names(tmp_path) == ["in"]


async def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    """A folder that is away, such as an unmounted disk, is a failure of the destination; so is a file in its place."""
    assert (await failure(tmp_path / "away")).code == "folder_missing"
    assert (await failure(tmp_path / "away")).error == f"The folder {tmp_path / 'away'} is not there."
    (tmp_path / "file").write_bytes(b"")
    assert (await failure(tmp_path / "file")).code == "folder_missing"


@pytest.mark.skipif(not IS_ROOT, reason="mounts a tiny disk, which takes root on Linux")
async def test_a_full_disk_and_a_read_only_one(tmp_path: Path) -> None:
    """A full or read-only disk is a failure that leaves nothing half-written; once it is mended the next attempt succeeds."""
    mounted = run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path))
    if not mounted:
        pytest.skip("this machine does not let us mount a disk")
    try:
        (tmp_path / "other").write_bytes(bytes(60_000))
        outcome = await written(tmp_path, job(bytes(30_000)))
        assert isinstance(outcome, Failed)
        assert (outcome.blame, outcome.code) == (Blame.DESTINATION, "folder_full")
        assert names(tmp_path) == ["other"]
        (tmp_path / "other").unlink()
        assert await written(tmp_path, job(bytes(30_000))) == Delivered()
        assert run("mount", "-o", "remount,ro", str(tmp_path))
        assert (await failure(tmp_path)).code == "folder_denied"
    finally:
        assert run("umount", "-l", str(tmp_path))


async def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    """A disk that takes only the beginning of a file leaves no trace of it."""
    if sys.platform == "win32":
        pytest.skip("Windows has no limit to lower")
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        outcome = await written(tmp_path, job(bytes(300_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert isinstance(outcome, Failed)
    assert outcome.code == "folder_full"
    assert names(tmp_path) == []


@pytest.mark.parametrize(("code", "outcome"), [("EINVAL", Delivered), ("EIO", Failed)])
async def test_a_disk_that_cannot_sync_folders(
    code: str, outcome: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk that cannot fsync a folder still takes files; a broken disk does not."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such call")
    sync = os.fsync

    def fail_for_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(getattr(errno, code), "no")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    assert isinstance(await written(tmp_path), outcome)


async def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """A link that somebody put under the hidden name does not lead the bytes elsewhere."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    inner = tmp_path / "in"
    inner.mkdir()
    try:
        (inner / f".{NAME}.json.tmp").symlink_to(victim)
    except OSError:
        pytest.skip("this user may not make links")
    assert await written(inner) == Delivered()
    assert victim.read_bytes() == b"precious"


async def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """A folder under the file's own name is a failure in words, not an exception."""
    (tmp_path / f"{NAME}.json").mkdir()
    assert (await failure(tmp_path)).code in {"folder_error", "folder_denied"}
    assert names(tmp_path) == [f"{NAME}.json"]


def test_the_preview_names_the_file(tmp_path: Path) -> None:
    """The preview says which file would be written, and what it would hold."""
    parcel = FolderSender(FolderDestination(id=1, name="in", path=str(tmp_path))).preview(job(), touchpoint="orders")
    assert parcel.target == str(tmp_path / f"{NAME}.json")
    assert parcel.body == b'{"a": 1}'
    assert names(tmp_path) == []

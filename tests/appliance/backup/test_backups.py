"""Backups: when one is due, what is kept, and what happens when none can be made."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from appliance.backup.archive import read_manifest
from appliance.backup.backups import Backups
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.opening import Opened, open_folder
from store.settings import MIB, BackupSettings
from store.sqlite.backup import SqliteBackupFiles
from tests.store.make import arrival
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros, told_moment
from touchpoints.problem import ProblemError, problem

pytestmark = pytest.mark.anyio

NOON: Micros = int(datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()) * SECOND


class Hands(Clock):
    """A clock whose hands a test moves; it shows UTC."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> Micros:
        return self.time

    def local(self, moment: Micros) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)


class Keeper:
    """Backups over a real data folder."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.clock = Hands()
        self.settings = BackupSettings()
        self.floor = 0
        self.files = SqliteBackupFiles()
        self.renew()

    def renew(self) -> None:
        """Those of another start."""
        self.backups = Backups(
            self.opened.folder,
            files=self.files,
            settings=lambda: self.settings,
            floor=lambda: self.floor,
            instance=lambda: "it",
            chance=os.urandom,
            clock=self.clock,
        )

    def moments(self) -> list[Micros]:
        """When those that are kept were made, newest first."""
        return [one.made_at for one in self.backups.kept()]


class HaltsAfter(Event):
    """A stop that comes before the `last` look at it."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._left = last

    def is_set(self) -> bool:
        self._left -= 1
        if not self._left:
            self.set()
        return super().is_set()


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Keeper]:
    opened = await open_folder(DataFolder(path=tmp_path / "data"), Clock())
    assert opened.events is not None
    await opened.events.inbox.put(arrival(1))
    try:
        yield Keeper(opened)
    finally:
        await opened.close()


async def test_one_is_made_each_night_and_a_missed_one_at_once(keeper: Keeper) -> None:
    """A machine that was off at half past two makes it when it is on again; never two for one night."""
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON]
    keeper.clock.time += 14 * HOUR + 29 * MINUTE
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON]
    keeper.clock.time += MINUTE
    await keeper.backups.when_due()
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON + 14 * HOUR + 30 * MINUTE, NOON]


async def test_none_is_made_by_itself_without_a_time(keeper: Keeper) -> None:
    """`at` empty: only by hand."""
    keeper.settings = replace(keeper.settings, at="")
    await keeper.backups.when_due()
    assert keeper.moments() == []
    made, manifest = await keeper.backups.make()
    assert keeper.moments() == [NOON]
    assert manifest == read_manifest(made.path)
    assert (manifest.counted.waiting, manifest.counted.bodies, manifest.with_key) == (1, 1, False)


async def test_the_newest_are_kept_within_count_and_size(keeper: Keeper) -> None:
    """The oldest go, the newest never does."""
    keeper.settings = replace(keeper.settings, keep=3)
    for _ in range(5):
        await keeper.backups.make()
        keeper.clock.time += DAY
    assert keeper.moments() == [NOON + 4 * DAY, NOON + 3 * DAY, NOON + 2 * DAY]
    size = max(one.size for one in keeper.backups.kept())
    keeper.settings = replace(keeper.settings, size=2 * size + size // 2)
    await keeper.backups.make()
    assert keeper.moments() == [NOON + 5 * DAY, NOON + 4 * DAY]


async def test_what_a_killed_process_left_is_cleared_away(keeper: Keeper) -> None:
    """Half a backup is none."""
    keeper.backups.place.mkdir()
    for name in (".hookport-20261124T023000Z.backup.new", "..hookport-20261124T023000Z.backup.new.partial"):
        (keeper.backups.place / name).write_bytes(b"half")
    others = {"hookport-proxy-20261124T023000Z.backup", ".hookport-proxy-20261124T023000Z.backup.new", ".hookport-notes"}
    for name in others:  # of a proxy that keeps its own in the same folder, and of somebody else
        (keeper.backups.place / name).write_bytes(b"another's")
    (made, _) = await keeper.backups.make()
    assert {path.name for path in keeper.backups.place.iterdir()} == {made.path.name, *others}
    assert keeper.moments() == [NOON]


async def test_one_that_a_wrong_clock_made_keeps_no_other_from_being_made(keeper: Keeper) -> None:
    """One of a day to come is no newest: the nightly ones go on, and it goes before them."""
    keeper.settings = replace(keeper.settings, keep=2)
    keeper.clock.time += 400 * DAY
    await keeper.backups.when_due()
    keeper.clock.time -= 400 * DAY
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON + 400 * DAY, NOON]
    keeper.clock.time += DAY
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON + DAY, NOON]


async def test_one_that_is_too_large_is_told_and_the_others_stay(keeper: Keeper) -> None:
    """Nothing half-made is left, and what was kept before still is."""
    await keeper.backups.make()
    keeper.clock.time += DAY
    keeper.settings = replace(keeper.settings, size=1000)
    with pytest.raises(ProblemError, match="more than"):
        await keeper.backups.make()
    assert keeper.moments() == [NOON]
    assert [path.name for path in keeper.backups.place.iterdir()] == [keeper.backups.kept()[0].path.name]
    assert keeper.backups.trouble is not None
    assert keeper.backups.trouble.code == "backup_too_large"


async def test_one_that_is_too_large_is_not_made_again_each_hour(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next night it is, or an hour later where the settings are others: it may fit then."""
    copies, honest = list[Micros](), keeper.files.copy

    def counted(*paths: Path, **options: Any) -> object:
        copies.append(keeper.clock.time)
        return honest(*paths, **options)

    monkeypatch.setattr(keeper.files, "copy", counted)
    keeper.settings = replace(keeper.settings, size=1000)
    for _ in range(30):  # hours, past half past two
        await keeper.backups.when_due()
        keeper.clock.time += HOUR
    assert copies == [NOON, NOON + 15 * HOUR]
    assert keeper.backups.trouble is not None
    keeper.settings = replace(keeper.settings, size=MIB)
    await keeper.backups.when_due()
    assert copies[2:] == keeper.moments() == [NOON + 30 * HOUR]
    assert keeper.backups.trouble is None


async def test_copies_and_what_is_tried_never_lie_there_together(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice what a backup takes is enough: the copies are gone before the archive is unpacked again."""
    honest, there = keeper.files.try_restore, list[str]()

    def looked(folder: Path, **options: Any) -> object:
        there.extend(path.name for path in folder.parent.iterdir())
        return honest(folder, **options)

    monkeypatch.setattr(keeper.files, "try_restore", looked)
    await keeper.backups.make()
    assert there == ["tried"]


async def test_without_room_none_is_made(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice what it takes must be free; it is told, and over once there is room."""
    usage = shutil.disk_usage(keeper.opened.folder.path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    await keeper.backups.when_due()
    assert keeper.moments() == []
    assert keeper.backups.trouble is not None
    assert keeper.backups.trouble.code == "backup_no_room"
    assert f"at {told_moment(keeper.clock.now())}: it needs" in keeper.backups.trouble.text
    monkeypatch.undo()
    await keeper.backups.when_due()
    assert keeper.moments() == []  # tried again after an hour, not each time the chore runs
    keeper.clock.time += HOUR
    await keeper.backups.when_due()
    assert len(keeper.moments()) == 1
    assert keeper.backups.trouble is None


async def test_the_floor_of_the_disk_is_left_alone(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is made that would turn senders away; another disk that backups are kept on has no floor."""
    usage, free = shutil.disk_usage(tmp_path), {"data": 300 * MIB, "kept": 100 * MIB}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free[Path(path).name]))
    keeper.settings = replace(keeper.settings, folder=str(tmp_path / "kept"))
    keeper.floor = 300 * MIB - 1000
    with pytest.raises(ProblemError, match="of free disk, and 300MiB are free") as caught:
        await keeper.backups.make()
    assert caught.value.problems[0].code == "backup_no_room"
    keeper.floor = 200 * MIB
    await keeper.backups.make()
    free["kept"] = 1000
    with pytest.raises(ProblemError, match="of free disk"):
        await keeper.backups.make()
    assert len(keeper.moments()) == 1


async def test_a_copy_that_cannot_be_put_back_is_no_backup(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried before it counts."""
    honest = keeper.files.copy

    def lossy(*paths: Path, **options: Any) -> object:
        counted = honest(*paths, **options)
        return replace(counted, waiting=counted.waiting + 1)

    monkeypatch.setattr(keeper.files, "copy", lossy)
    with pytest.raises(ProblemError, match="not what was put in"):
        await keeper.backups.make()
    assert keeper.moments() == []
    assert list(keeper.backups.place.iterdir()) == []
    assert keeper.backups.trouble is not None
    assert keeper.backups.trouble.code == "backup_failed"


async def test_of_a_file_that_was_moved_aside_none_is_made(keeper: Keeper) -> None:
    """And no file in its place: whether to begin with an empty one is for a person to say."""
    await keeper.backups.make()
    assert keeper.opened.events is not None
    await keeper.opened.events.close()
    keeper.opened.folder.events.rename(keeper.opened.folder.path / "events.corrupt-20261124T023000Z.db")
    keeper.clock.time += DAY
    await keeper.backups.when_due()
    assert keeper.moments() == [NOON]
    assert keeper.backups.trouble is not None
    assert keeper.backups.trouble.code == "backup_failed"
    assert not keeper.opened.folder.events.exists()


async def test_a_folder_that_cannot_be_written_to_is_told(keeper: Keeper, tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "full").write_text("x")
    keeper.settings = replace(keeper.settings, folder=str(tmp_path / "full"), size=MIB)
    with pytest.raises(ProblemError) as caught:
        await keeper.backups.make()
    assert caught.value.problems[0].code == "backup_folder_unusable"
    assert keeper.backups.trouble is not None
    assert keeper.backups.trouble.code == "backup_failed"
    assert problem("backup_failed", moment="", why="").mend in str(keeper.backups.trouble)


async def test_a_stop_breaks_it_off_wherever_it_is(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its 1st, 2nd, 3rd … look at whether to go on, until it ends untouched: no half is left, and nothing is told."""
    monkeypatch.setattr("store.sqlite.backup_file._PACE", 100)
    broken = 0
    for last in range(1, 200):
        keeper.renew()
        keeper.backups._halt = halt = HaltsAfter(last)
        try:
            await keeper.backups.make()
        except ProblemError as error:
            codes = [one.code for one in error.problems]
        else:
            break
        assert (codes, halt.is_set(), keeper.backups.trouble) == (["backup_halted"], True, None)
        assert list(keeper.backups.place.glob("*")) == []
        assert not (keeper.opened.folder.spool / "backup").exists()
        broken += 1
    assert broken > 10  # pieces of files alone are seven
    assert len(keeper.moments()) == 1


async def test_none_is_begun_once_it_is_over(keeper: Keeper) -> None:
    """The older ones are kept."""
    await keeper.backups.make()
    await keeper.backups.close()
    keeper.clock.time += DAY
    with pytest.raises(ProblemError, match="about to stop"):
        await keeper.backups.make()
    assert keeper.moments() == [NOON]


async def test_two_of_one_second_are_both_kept(keeper: Keeper) -> None:
    """As one before an upgrade and one by hand right after it; a third, too, lets the oldest go and no other."""
    keeper.settings = replace(keeper.settings, keep=2)
    first, _ = await keeper.backups.make()
    second, _ = await keeper.backups.make()
    assert [one.path for one in keeper.backups.kept()] == [second.path, first.path]
    third, _ = await keeper.backups.make()
    assert [one.path for one in keeper.backups.kept()] == [third.path, second.path]


async def test_an_old_one_that_cannot_go_is_no_failure(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets nothing go that is being read, as by who copies it elsewhere: it goes with a later one."""
    keeper.settings = replace(keeper.settings, keep=1)
    old, _ = await keeper.backups.make()
    keeper.clock.time += HOUR
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path == old.path:
            raise PermissionError(13, "in use")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", held)
        await keeper.backups.make()
    assert keeper.backups.trouble is None
    assert keeper.moments() == [NOON + HOUR, NOON]
    keeper.clock.time += HOUR
    await keeper.backups.make()
    assert keeper.moments() == [NOON + 2 * HOUR]

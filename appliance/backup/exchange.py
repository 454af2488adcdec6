"""The exchange of a data folder's files for those of a backup. Nothing that is there is deleted: it is moved aside."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.backup.archive import files_of
from appliance.data_folder import DataFolder
from appliance.restore_mark import RestoreMark, read_mark, write_mark
from store.vault import read_key_file, write_key_file
from touchpoints.destinations.in_place import put_in_place, sync_folder
from touchpoints.moment import Micros, rfc3339
from touchpoints.problem import ProblemError

_SUFFIXES = ("", "-wal", "-shm")  # a database, and what belongs to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Files of a role that are made ready in `work`, on the same disk, and the key that opens them."""

    folder: DataFolder
    work: Path
    role: str  # agent | proxy
    key: bytes

    def make(self, now: Micros) -> tuple[str, ...]:
        """Put them in their places; the names of all that was moved aside, also by tries before that were broken off.

        The folder bears its mark from before the first step until after the last: broken off anywhere, nothing starts on
        it, and made again it comes to its end. Raises OSError, and ProblemError(key_file_unusable).
        """
        folder, before = self.folder, read_mark(self.folder) or RestoreMark(role=self.role)
        self._join(before)
        mark = RestoreMark(role=self.role, stamps=(*before.stamps, self._fresh_stamp(now)))
        write_mark(folder, mark)
        sync_folder(folder.path)
        for path in self._standing():
            self._move_aside(path, mark.stamps[-1])
        if not folder.key.exists():
            write_key_file(folder.key, self.key)
        folder.configuration_before.unlink(missing_ok=True)  # of another past
        for path in self._databases():
            self._put(path)
        sync_folder(folder.path)
        folder.restore_unfinished.unlink()
        sync_folder(folder.path)
        return tuple(sorted(name for stamp in mark.stamps for name in self._names_aside(stamp)))

    def _databases(self) -> Iterator[Path]:
        for name in reversed(files_of(self.role)):
            yield self.folder.path / name

    def _standing(self) -> Iterator[Path]:
        """What makes way: a key only where it is another one, or none that can be read."""
        yield from self._databases()
        try:
            same = read_key_file(self.folder.key) == self.key
        except ProblemError:
            same = False
        if not same:
            yield self.folder.key

    def _join(self, before: RestoreMark) -> None:
        """A database without its log lacks what was committed last: where a try ended between them, the log follows."""
        for path in self._databases():
            if before.stamps and not path.exists():
                self._move_aside(path, before.stamps[-1])

    def _move_aside(self, path: Path, stamp: str) -> None:
        for suffix in _SUFFIXES:
            source = path.with_name(path.name + suffix)
            target = path.with_name(f"{path.stem}.before-restore-{stamp}{path.suffix}{suffix}")
            if source.exists() and not target.exists():
                put_in_place(source, target)

    def _put(self, path: Path) -> None:
        """The log second: where it could not be emptied it has what was committed last, and an older file never gets it."""
        for suffix in ("", "-wal"):
            source = self.work / f"{path.name}{suffix}"
            if not suffix or source.exists():
                put_in_place(source, path.with_name(source.name))

    def _fresh_stamp(self, now: Micros) -> str:
        """One that no name has yet, whatever the clock does: nothing moved aside is ever written over."""
        stamp, number = rfc3339(now).translate(str.maketrans("", "", "-:.")), 1
        fresh = stamp
        while any(self._names_aside(fresh)):
            number += 1
            fresh = f"{stamp}-{number}"
        return fresh

    def _names_aside(self, stamp: str) -> Iterator[str]:
        return (path.name for path in self.folder.path.glob(f"*.before-restore-{stamp}.*"))

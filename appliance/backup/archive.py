"""One backup: a zip file with a manifest, both database files, and the key where a passphrase seals it; of either role."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from appliance.backup.sealed_key import SealedKey, open_sealed
from store.backup import CONFIGURATION, EVENTS_OF, Counted
from touchpoints.destinations.in_place import put_in_place
from touchpoints.moment import Micros, rfc3339
from touchpoints.problem import ProblemError, problem

FORMAT = 1
MANIFEST, KEY = "manifest.json", "secret.key.sealed"
_PIECE = 1024 * 1024
_MOST_MANIFEST = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    role: str  # agent | proxy
    made_at: Micros
    version: str
    instance: str
    counted: Counted
    with_key: bool
    digests: Mapping[str, str]  # SHA-256 in hex, by file name

    def told(self) -> dict[str, Any]:
        """What a person is told of what is in it."""
        counted = self.counted
        return {
            "waiting": counted.waiting,
            "bodies": counted.bodies,
            "claims": counted.claims,
            "organisations": counted.organisations,
            "agents": counted.agents,
            "with_key": self.with_key,
        }

    @property
    def files(self) -> tuple[str, str]:
        """The database files in it, by the names they have in the data folder."""
        return files_of(self.role)


def files_of(role: str) -> tuple[str, str]:
    """The database files of a role's data folder."""
    return CONFIGURATION, EVENTS_OF[role]


def write_archive(
    target: Path,
    folder: Path,
    *,
    role: str,
    made_at: Micros,
    version: str,
    instance: str,
    counted: Counted,
    key: SealedKey | None,
    told: Callable[[int], None] = lambda _n: None,
) -> Manifest:
    """Pack the files of a folder. The target is there whole or not at all, for its owner alone.

    `told` hears how many bytes, twice each; what it raises breaks it off. Raises OSError.
    """
    manifest = Manifest(
        role=role,
        made_at=made_at,
        version=version,
        instance=instance,
        counted=counted,
        with_key=key is not None,
        digests={name: _digest(folder / name, told) for name in files_of(role)},
    )
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            _pack(file, folder, manifest, key, told)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest


def _pack(file: BinaryIO, folder: Path, manifest: Manifest, key: SealedKey | None, told: Callable[[int], None]) -> None:
    words = {"format": FORMAT, "made": rfc3339(manifest.made_at), **asdict(manifest)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=1) as archive:
        archive.writestr(MANIFEST, json.dumps(words, indent=1))
        for name in manifest.files:
            with archive.open(name, "w", force_zip64=True) as packed:
                for piece in _pieces_of(folder / name, told):
                    packed.write(piece)
        if key is not None:
            archive.writestr(KEY, key.text())


def _digest(path: Path, told: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    for piece in _pieces_of(path, told):
        digest.update(piece)
    return digest.hexdigest()


def _pieces_of(path: Path, told: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            told(len(piece))
            yield piece


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself. Raises ProblemError(backup_unreadable)."""
    with _opened(path) as archive:
        return _manifest(archive, path)


def unpack(path: Path, folder: Path, *, told: Callable[[int], None] = lambda _n: None) -> Manifest:
    """Write both files into a folder, compared with their digests; `told` hears how many bytes, and may break it off.

    Raises ProblemError(backup_unreadable), and OSError where the folder cannot be written to.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        for name in manifest.files:
            digest = hashlib.sha256()
            with (folder / name).open("xb") as target:
                for piece in _pieces(archive, name, path):
                    digest.update(piece)
                    target.write(piece)
                    told(len(piece))
                target.flush()
                os.fsync(target.fileno())
            if digest.hexdigest() != manifest.digests.get(name):
                raise _unreadable(path, f"{name} is not what was packed")
    return manifest


def read_key(path: Path, passphrase: str) -> bytes:
    """The key that a backup holds. Raises ProblemError: backup_without_key, backup_passphrase_wrong, backup_unreadable."""
    with _opened(path) as archive:
        if KEY not in archive.namelist():
            raise ProblemError(problem("backup_without_key"))
        text = _short(archive, KEY, path).decode("utf-8", "replace")
    return open_sealed(text, passphrase)


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    content = _short(archive, MANIFEST, path)
    with _reading(path):
        told = json.loads(content)
        if told["format"] != FORMAT or told["role"] not in EVENTS_OF:
            raise ValueError("another kind of backup, or one of a newer Hookport")
        return Manifest(
            role=str(told["role"]),
            made_at=int(told["made_at"]),
            version=str(told["version"]),
            instance=str(told["instance"]),
            counted=Counted(**{key: int(value) for key, value in told["counted"].items()}),
            with_key=bool(told["with_key"]),
            digests={str(key): str(value) for key, value in told["digests"].items()},
        )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with _reading(path):
        archive = zipfile.ZipFile(path)
    with archive:
        yield archive


def _short(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    with _reading(path):
        if archive.getinfo(name).file_size > _MOST_MANIFEST:
            raise ValueError(f"{name} is too long")
        return archive.read(name)


def _pieces(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[bytes]:
    with _reading(path):
        source = archive.open(name)
    with source:
        while True:
            with _reading(path):
                piece = source.read(_PIECE)
            if not piece:
                return
            yield piece


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever a damaged file makes its readers raise, of which nobody has a whole list, becomes `backup_unreadable`.

    Only what reads stands in here: a disk that is full while it is unpacked is no fault of the backup.
    """
    try:
        yield
    except Exception as error:
        why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)[:200]
        raise _unreadable(path, why) from None


def _unreadable(path: Path, why: str) -> ProblemError:
    return ProblemError(problem("backup_unreadable", file=path, why=why))

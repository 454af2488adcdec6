"""The frozen sets: a folder for each program that left one, and the table of what was released."""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.data_folder import DataFolder, prepare
from store.sqlite.migrate import migrations
from store.vault import write_key_file
from tests.released.dump import load, version_of

HERE = Path(__file__).resolve().parent
TABLE = HERE / "released.toml"
CHANGELOG = HERE.parents[1] / "CHANGELOG.md"
FILES = {  # by kind: whose folder, and the file's name there
    "configuration": ("one", "configuration.db"),
    "events": ("one", "events.db"),
    "proxy": ("proxy", "configuration.db"),
    "queue": ("proxy", "queue.db"),
}


@dataclass(frozen=True, slots=True)
class Frozen:
    """One set: an agent's folder and its proxy's, as the program of that name left them."""

    name: str

    @property
    def folder(self) -> Path:
        """Where it stands."""
        return HERE / self.name

    @property
    def told(self) -> dict[str, Any]:
        """`{waiting, first, agent, proxy}`: which events are to arrive, one that did, and what was seen of both folders."""
        found: dict[str, Any] = json.loads((self.folder / "told.json").read_text(encoding="utf-8"))
        return found

    def text(self, kind: str) -> str:
        """A kind's dump."""
        return (self.folder / f"{kind}.sql").read_text(encoding="utf-8")

    def make(self, folder: Path, ports: Mapping[str, int]) -> None:
        """Make both data folders in a folder, `one` and `proxy`."""
        for name, key in (("one", "agent.key"), ("proxy", "proxy.key")):
            prepare(DataFolder(path=folder / name))
            write_key_file(folder / name / "secret.key", bytes.fromhex((self.folder / key).read_text(encoding="ascii")))
        for kind, (name, file) in FILES.items():
            load(self.text(kind), folder / name / file, ports)


def frozen_sets() -> list[Frozen]:
    """All there are, oldest first."""
    found = [Frozen(path.parent.name) for path in HERE.glob("*/told.json")]
    return sorted(found, key=lambda one: [int(part) for part in re.findall(r"\d+", one.name)])


def frozen_numbers(kind: str) -> set[int]:
    """The schema numbers of a kind that a set has."""
    return {version_of(one.text(kind)) for one in frozen_sets()}


def released() -> dict[str, dict[str, dict[str, str]]]:
    """By version and kind: each migration's file name and its SHA-256, as it went out."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def digests(kind: str) -> dict[str, str]:
    """The SHA-256 of a kind's migrations as they are now, with what they share."""
    return {name: hashlib.sha256(sql.encode()).hexdigest() for _, name, sql in migrations(kind)}


def released_versions(changelog: str) -> set[str]:
    """The versions that have a section of their own: these are out."""
    return set(re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE))


def lacking(numbers: Collection[int], frozen: Collection[int], out: int) -> list[int]:
    """Schema numbers that must have a frozen set and have none: those before the newest, and `out`, the newest released."""
    return sorted({number for number in numbers if number < max(numbers) or number <= out} - set(frozen))

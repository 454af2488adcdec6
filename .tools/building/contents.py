"""What an executable is made of: every distribution, library and page file in it, with version, licence and its text.

Runs inside the Python that builds it, called by the recipe; what it finds is written as JSON for SBOM and licences.
"""

import json
import platform
import re
import shutil
import sqlite3
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, distribution, distributions, version
from pathlib import Path

from building.place import CACHE, PAGE_NPM

_LICENCE_FILE = re.compile(r"(?i)^(licen[cs]e|copying|notice|copyright)([._-].*)?$")
_NOT_PARTS = {"pip", "wheel"}  # they only made the environment


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """One thing inside the executable."""

    kind: str  # pypi, npm, generic, deb or rpm: the type of a package URL
    name: str
    version: str
    licence: str = ""  # an SPDX expression or the author's own words
    text: str = ""  # the licence's text, where one came along


def write_contents(entries: Iterable[Sequence[str]], folder: Path) -> Path:
    """Write contents.json and licences.txt into the folder; the path of the latter. Entries are (name, source, kind)."""
    parts = find_parts(Path(entry[1]) for entry in entries if entry[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contents.json").write_text(json.dumps([asdict(part) for part in parts], indent=1), encoding="utf-8")
    licences = folder / "licences.txt"
    licences.write_text("\n\n".join(licence_page(part) for part in parts), encoding="utf-8")
    return licences


def read_contents(folder: Path) -> list[Part]:
    """The list that write_contents wrote."""
    return [Part(**one) for one in json.loads((folder / "contents.json").read_text(encoding="utf-8"))]


def licence_page(part: Part) -> str:
    """A part's name and licence, for people."""
    head = f"{part.name} {part.version}" + (f" ({part.licence})" if part.licence else "")
    return f"{head}\n{'=' * len(head)}\n\n{part.text.strip() or 'Its licence is named above.'}\n"


def find_parts(sources: Iterable[Path]) -> list[Part]:
    """The parts that these files belong to, and those that none tells: Python, SQLite, OpenSSL, launcher, page."""
    owners = _owners()
    found, foreign = set(), set()
    for source in {path.resolve() for path in sources}:
        if owner := owners.get(source):
            found.add(owner)
        elif not _is_python(source):
            foreign.add(source)
    return sorted({*found, *_python_parts(), *_page_parts(), *_system_parts(foreign)})


def _owners() -> dict[Path, Part]:
    owners: dict[Path, Part] = {}
    for one in distributions():
        if one.name.lower() not in _NOT_PARTS:
            part = _part(one)
            owners |= {Path(str(one.locate_file(file))).resolve(): part for file in one.files or ()}
    return owners


def _part(of: Distribution) -> Part:
    told = of.metadata.get_all
    classifiers = [line.rpartition(" :: ")[2] for line in told("Classifier") or () if line.startswith("License ::")]
    licence = next(iter([*(told("License-Expression") or ()), *classifiers, *(told("License") or ())]), "").partition("\n")[0]
    files = [file for file in of.files or () if ".dist-info" in str(file.parent) and _LICENCE_FILE.match(file.name)]
    texts = [Path(str(of.locate_file(file))).read_text(encoding="utf-8", errors="replace") for file in sorted(files)]
    name = re.sub(r"[-_.]+", "-", of.name).lower()
    return Part(kind="pypi", name=name, version=of.version, licence=licence[:80], text="\n\n".join(texts))


def _is_python(source: Path) -> bool:
    places = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    if sys.base_prefix not in {"/usr", "/usr/local"}:
        places.append(Path(sys.base_prefix).resolve())
    return any(place in source.parents for place in places)


def _python_parts() -> Iterator[Part]:
    text = next((path.read_text(encoding="utf-8", errors="replace") for path in _python_licences() if path.is_file()), "")
    yield Part(kind="generic", name="python", version=platform.python_version(), licence="PSF-2.0", text=text)
    yield Part(kind="generic", name="sqlite", version=sqlite3.sqlite_version, licence="Public domain")
    yield Part(kind="generic", name="openssl", version=ssl.OPENSSL_VERSION.split()[1], licence="Apache-2.0")
    yield _part(distribution("pyinstaller"))  # its launcher is the executable's first part
    yield from _inside_cryptography()


def _inside_cryptography() -> Iterator[Part]:
    """Its wheel carries an OpenSSL of its own."""
    from cryptography.hazmat.backends.openssl import backend

    told = backend.openssl_version_text().split()[1]
    yield Part(
        kind="generic", name="openssl", version=told, licence=f"Apache-2.0, inside cryptography {version('cryptography')}"
    )


def _python_licences() -> Iterator[Path]:
    short = f"python{sys.version_info.major}.{sys.version_info.minor}"
    yield Path(sys.base_prefix) / "LICENSE.txt"
    yield Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    yield Path("/usr/share/doc") / short / "copyright"
    yield Path("/usr/share/licenses") / f"{short}-libs" / "LICENSE"


def _page_parts() -> Iterator[Part]:
    """The page's files from npm, at the versions of its lock file."""
    locked = json.loads((PAGE_NPM / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for place, told in locked.items():
        if place:
            folder = CACHE / "page-npm" / place
            files = sorted(file for file in folder.iterdir() if _LICENCE_FILE.match(file.name)) if folder.is_dir() else []
            text = "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
            name = place.rpartition("node_modules/")[2]
            yield Part(kind="npm", name=name, version=told["version"], licence=told.get("license", ""), text=text)


def _system_parts(files: Iterable[Path]) -> Iterator[Part]:
    """Libraries of the system that came along, by the package that the system knows them by."""
    for file in sorted(files):
        if ".so" in file.name or file.suffix in {".dll", ".dylib"}:
            yield _debian(file) or _redhat(file) or Part(kind="generic", name=file.name.partition(".so")[0], version="")


def _debian(file: Path) -> Part | None:
    if shutil.which("dpkg-query") is None:
        return None
    # Where /lib is a link to /usr/lib, the package may know the file by either name.
    for name in (str(file), str(file).removeprefix("/usr")):
        if owner := _told(["dpkg-query", "--search", name]).partition(":")[0]:
            found = _told(["dpkg-query", "--show", "--showformat", "${source:Package} ${Version}\n", owner]).split()
            copyright_file = Path("/usr/share/doc") / owner / "copyright"
            text = copyright_file.read_text(encoding="utf-8", errors="replace") if copyright_file.is_file() else ""
            return Part(kind="deb", name=owner, version=found[1] if len(found) > 1 else "", text=text)
    return None


def _redhat(file: Path) -> Part | None:
    if shutil.which("rpm") is None:
        return None
    told = _told(["rpm", "--query", "--file", str(file), "--queryformat", "%{NAME}\t%{VERSION}-%{RELEASE}\t%{LICENSE}\n"])
    words = told.splitlines()[0].split("\t") if told else []
    return Part(kind="rpm", name=words[0], version=words[1], licence=words[2][:80]) if len(words) == 3 else None


def _told(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else ""

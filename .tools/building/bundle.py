"""What an executable holds beside the code that is found by its imports: data files; and what it leaves out."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from building.place import ROOT

PACKAGES = ("appliance", "store", "touchpoints", "web")

# Imported somewhere, used nowhere here: the framework's test data, its command line, tracebacks in colour, other event loops,
# other servers. `hookport selftest` in every build shows that nothing of it is missed.
EXCLUDED = (
    "IPython",
    "_pytest",
    "anyio._backends._trio",
    "anyio.pytest_plugin",
    "cffi",
    "curses",
    "doctest",
    "faker",
    "hatchling",
    "lib2to3",
    "litestar.cli",
    "litestar.contrib",
    "litestar.testing",
    "markdown_it",
    "mdurl",
    "pip",
    "polyfactory",
    "pycparser",
    "pydoc_data",
    "pygments",
    "pytest",
    "readline",
    "rich",
    "rich_click",
    "setuptools",
    "test",
    "tkinter",
    "trio",
    "unittest",
    "uvicorn.workers",
)
_CODE = {".py", ".pyc", ".pyo", ".pyi"}
_NOT_SHIPPED = {"npm", "__pycache__"}
# Of a distribution's own folder these are read at run time; licences stand in the executable's licences folder instead.
_READ_METADATA = {"METADATA", "entry_points.txt"}


def data_files(root: Path = ROOT) -> list[tuple[str, str]]:
    """(file, folder inside the executable) of everything in our packages that isn't code, in a fixed order."""
    return [(str(file), file.parent.relative_to(root).as_posix()) for package in PACKAGES for file in _data(root / package)]


def _data(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name not in _NOT_SHIPPED:
                yield from _data(entry)
        elif entry.suffix not in _CODE and not entry.name.startswith("."):
            yield entry


def worth_shipping(entries: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """PyInstaller's entries (name inside, source, kind) without what its hooks collect and nobody reads, in a fixed order."""
    return sorted(entry for entry in entries if _is_read(Path(entry[0])))


def _is_read(inside: Path) -> bool:
    folder = inside.parts[0] if len(inside.parts) > 1 else ""
    return not folder.endswith(".dist-info") or (len(inside.parts) == 2 and inside.name in _READ_METADATA)

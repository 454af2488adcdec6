"""What the lint command checks, and the repair of what can be repaired."""

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from building.audit import audit
from building.place import CACHE, ROOT, program, say

_PARTS = ("appliance", "store", "touchpoints", "web")
_NOT_OURS = {".git", ".venv", ".cache", ".hypothesis", "node_modules", "vendor", "__pycache__", "build", "dist"}
# Addresses of package registries, and folders of the machine a file was written on, mean nothing on another machine.
_REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|npmmirror|yarnpkg|crates)\.(?:org|com|io)\b")
_CUSTOMARY = {Path("/"), Path("/opt"), Path("/srv")}  # what lies there is named in documents for everyone


def lint() -> bool:
    """Run every check, say one line each with the output of those that fail. Whether all passed."""
    checks: dict[str, Callable[[], str]] = {
        "mypy": _tool("mypy"),
        "mypy for Windows": _tool("mypy", "--platform", "win32", "--cache-dir", str(CACHE / "mypy-windows"), *_windows_files()),
        "ruff check": _tool("ruff", "check", "--quiet"),
        "ruff format": _tool("ruff", "format", "--check", "--quiet"),
        "import-linter": _tool("lint-imports", "--cache-dir", str(CACHE / "import-linter")),
        "zizmor": _tool("zizmor", "--offline", "--no-progress", "--quiet", ".github/workflows"),
        "dependencies": audit,
        "no registry, no machine's path": lambda: "\n".join(foreign(ROOT)),
    }
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(_timed, checks.values()))
    for name, (output, seconds) in zip(checks, results, strict=True):
        say(f"· {name}: {'failed' if output else 'ok'} ({seconds:.1f} s)")
        if output:
            say(output)
    return not any(output for output, _ in results)


def fix() -> bool:
    """Repair what ruff can repair. Whether nothing is left."""
    formatted = subprocess.run([program("ruff"), "format"], cwd=ROOT, check=False)
    checked = subprocess.run([program("ruff"), "check", "--fix"], cwd=ROOT, check=False)
    return formatted.returncode == checked.returncode == 0


def foreign(root: Path) -> Iterator[str]:
    """Lines under root that name a package registry or a folder of this machine, as `file:line: what`."""
    machine = _machine(root)
    for file in ours(root):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if found := _REGISTRY.search(line) or machine.search(line):
                yield f"{file.relative_to(root)}:{number}: {found[0]}"
            elif (file.parent.name == ".requirements" and "://" in line) or (
                file.name == "package-lock.json" and '"resolved"' in line
            ):
                yield f"{file.relative_to(root)}:{number}: an address in a lock file"


def _machine(root: Path) -> re.Pattern[str]:
    """This machine's own folders: root and what lies beside it, what lies among the temporary files, what lies in the home."""
    beside = [] if root.parent in _CUSTOMARY else _entries(root.parent)
    own = [re.escape(str(place)) + r"(?![\w-])" for place in (*beside, *_entries(Path(tempfile.gettempdir())))]
    if len(Path.home().parts) > 1:
        own.append(re.escape(str(Path.home() / "_").removesuffix("_")))
    return re.compile(rf"(?<![\w.~-])(?:{'|'.join(own) or '(?!)'})")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def ours(root: Path) -> Iterator[Path]:
    """Every file under root that isn't made by a tool."""
    for entry in sorted(root.iterdir()):
        if entry.name in _NOT_OURS or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from ours(entry)
        else:
            yield entry


def _windows_files() -> list[str]:
    """The product as Windows sees it; a file named on the command line is checked although the configuration leaves it out."""
    own = [str(file.relative_to(ROOT)) for part in _PARTS for file in sorted((ROOT / part).rglob("*_windows.py"))]
    return ["--exclude", r"_posix\.py$", *_PARTS, *own]


def _tool(name: str, *arguments: str) -> Callable[[], str]:
    def run() -> str:
        done = subprocess.run(
            [program(name), *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace").strip()
        return (output or f"ended with code {done.returncode}") if done.returncode else ""

    return run


def _timed(check: Callable[[], str]) -> tuple[str, float]:
    started = time.monotonic()
    return check(), time.monotonic() - started

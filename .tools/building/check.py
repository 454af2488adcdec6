"""What the lint command checks, and the repair of what can be repaired."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from building.place import CACHE, ROOT, program, say

_PARTS = ("appliance", "store", "touchpoints", "web")
_NOT_OURS = {".git", ".venv", ".cache", ".hypothesis", "node_modules", "vendor", "__pycache__", "build", "dist"}
# Addresses of package registries and folders of the machine a file was written on mean nothing on another machine.
_FOREIGN = re.compile(
    r"(?:pypi|pythonhosted|npmjs|npmmirror|yarnpkg|crates)\.(?:org|com|io)\b|/root/\.|/work/(?:main|shared)\b|/tmp/(?:v|bash_jobs)\b"
)


def lint() -> bool:
    """Run every check, say one line each with the output of those that fail. Whether all passed."""
    checks: dict[str, Callable[[], str]] = {
        "mypy": _tool("mypy"),
        "mypy for Windows": _tool("mypy", "--platform", "win32", "--cache-dir", str(CACHE / "mypy-windows"), *_windows_files()),
        "ruff check": _tool("ruff", "check", "--quiet"),
        "ruff format": _tool("ruff", "format", "--check", "--quiet"),
        "import-linter": _tool("lint-imports", "--cache-dir", str(CACHE / "import-linter")),
        "zizmor": _tool("zizmor", "--offline", "--no-progress", "--quiet", ".github/workflows"),
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
    for file in ours(root):
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if what := _foreign_in(line, file, root):
                yield f"{file.relative_to(root)}:{number}: {what}"


def _foreign_in(line: str, file: Path, root: Path) -> str:
    if found := _FOREIGN.search(line):
        return found[0]
    if len(root.parts) > 3 and str(root) in line:  # a short one, such as /srv, may stand there for another reason
        return str(root)
    if (file.parent.name == ".requirements" and "://" in line) or (file.name == "package-lock.json" and '"resolved"' in line):
        return "an address in a lock file"
    return ""


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

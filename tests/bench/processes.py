"""A process and its children, as Linux shows them."""

from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")


def family(process: int) -> list[int]:
    """The process and all that come from it."""
    found, waiting = [], [process]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            waiting += [int(child) for child in (_PROC / str(one) / "task" / str(one) / "children").read_text().split()]
        except OSError:
            continue  # it ended meanwhile
    return found


def resident(processes: Iterable[int]) -> int:
    """Their memory in bytes; what two of them share is counted twice."""
    return sum(_field(process, "VmRSS") for process in processes)


def most_resident(process: int) -> int:
    """The most memory that a process has had at once, in bytes."""
    return _field(process, "VmHWM")


def open_handles(process: int) -> int:
    """How many files and connections it has open; 0 where nobody tells."""
    try:
        return len(list((_PROC / str(process) / "fd").iterdir()))
    except OSError:
        return 0


def _field(process: int, name: str) -> int:
    try:
        lines = (_PROC / str(process) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)

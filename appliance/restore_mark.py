"""The mark that a folder bears from the first step of putting a backup into it until the last: nothing starts meanwhile."""

import json
import os
from dataclasses import asdict, dataclass

from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem

_COMMANDS = {"agent": "hookport restore", "proxy": "hookport proxy restore"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMark:
    """What is under way. `stamps` stand in the names of what each try moved aside, the first try's first."""

    role: str  # agent | proxy
    stamps: tuple[str, ...] = ()


def read_mark(folder: DataFolder) -> RestoreMark | None:
    """The mark, or None where nothing is under way. One that is damaged still is one."""
    try:
        told = json.loads(folder.restore_unfinished.read_bytes())
        return RestoreMark(role={"proxy": "proxy"}.get(told["role"], "agent"), stamps=tuple(map(str, told["stamps"])))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return RestoreMark(role="proxy" if folder.is_proxy else "agent")


def write_mark(folder: DataFolder, mark: RestoreMark) -> None:
    """Set the mark, whole or not at all, on disk before anything is moved. Raises OSError."""
    aside = folder.path / f".{folder.restore_unfinished.name}.new"
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(json.dumps(asdict(mark)))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder.restore_unfinished)


def refuse_marked(folder: DataFolder, *, role: str = "") -> None:
    """Raise ProblemError(restore_unfinished) where something is under way, but that of `role`."""
    mark = read_mark(folder)
    if mark is not None and mark.role != role:
        raise ProblemError(problem("restore_unfinished", folder=folder.path, command=_COMMANDS[mark.role]))

"""What differs in a single executable: where it stands, what its children inherit, and what its launcher leaves behind."""

import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import IO

from appliance.extraction import claim, sweep

if sys.platform == "win32":
    from appliance.console_windows import hold_own_console
    from appliance.launcher_windows import follow_launcher
else:
    from appliance.launcher_posix import follow_launcher, hold_own_console

_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_held: list[IO[bytes]] = []  # the claim on our own extraction, for as long as the process lives


def is_frozen() -> bool:
    """Whether this is an executable and not Python reading source."""
    return bool(getattr(sys, "frozen", False))


def extraction() -> Path | None:
    """The folder that a one-file executable has unpacked itself into; None for a folder build and from source."""
    home = Path(getattr(sys, "_MEIPASS", ""))
    return home if is_frozen() and home.name.startswith("_MEI") else None


def own_command() -> list[str]:
    """The command that starts this program again."""
    return [sys.executable] if is_frozen() else [sys.executable, "-c", "from appliance.command import main; main()"]


def run(main: Callable[[], None]) -> None:
    """The whole life of an executable around its `main`, which is imported late: what stands here must come first."""
    give_back_library_path(os.environ)
    unpacked = extraction()
    if unpacked is not None:
        follow_launcher()
        if held := claim(unpacked):
            _held.append(held)
        threading.Thread(target=sweep, args=(unpacked.parent,), kwargs={"own": unpacked}, name="sweep", daemon=True).start()
    try:
        main()
    except BaseException as error:
        hold_own_console(error, processes=1 if unpacked is None else 2)
        raise


def give_back_library_path(environment: MutableMapping[str, str]) -> None:
    """The launcher points the loader at our own libraries; a browser that we open must find the system's instead."""
    for name in _LIBRARY_PATHS:
        before = environment.pop(f"{name}_ORIG", None)
        if before is not None:
            environment[name] = before
        elif is_frozen():
            environment.pop(name, None)

"""Debian's wine: found or installed, with a folder of its own under .cache, and every program it runs bounded in time."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from building.place import CACHE, BuildError, quiet, say
from building.system import can_install, install

PREFIX = CACHE / "wine"
_DEBIANS = "/usr/lib/wine/wine64"  # where wine64 alone puts it
_SETTING_UP = 300.0


def find_wine() -> str:
    """The program, installed where we may. Raises BuildError with the command where we may not."""
    found = _found()
    if not found and can_install():
        install(["wine64"])
        found = _found()
    if not found:
        raise BuildError("Building for Windows needs wine. On Debian and Ubuntu: sudo apt-get install wine64")
    return found


def _found() -> str:
    return shutil.which("wine64") or (_DEBIANS if Path(_DEBIANS).is_file() else "") or shutil.which("wine") or ""


def wine_path(text: str) -> str:
    """A path of this machine as a program under wine sees it; anything else as it is."""
    return f"Z:{text}".replace("/", "\\") if text.startswith("/") else text


def wine_environment(settings: Mapping[str, str] = {}) -> dict[str, str]:
    """Variables of a program under wine: ours without what speaks to Python and to Hookport, and wine's own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "HOOKPORT", "VIRTUAL_ENV", "WINE")) and name not in {"DISPLAY", "WAYLAND_DISPLAY"}
    }
    runtime = PREFIX.parent / "wine-run"
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    return clean | {
        "WINEPREFIX": str(PREFIX),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",  # asks for nothing to be downloaded
        "XDG_RUNTIME_DIR": str(runtime),
        **settings,
    }


def prepare_prefix() -> None:
    """Wine's own folder, made once. Raises BuildError."""
    if (PREFIX / "system.reg").is_file():
        return
    say("· wine's folder, .cache/wine")
    PREFIX.mkdir(parents=True, exist_ok=True)
    try:
        quiet(
            ["timeout", str(int(_SETTING_UP)), find_wine(), "wineboot", "--init"],
            env=wine_environment(),
            mend="See the words above.",
        )
    except BuildError:
        shutil.rmtree(PREFIX, ignore_errors=True)
        raise


def run_wine(
    command: Sequence[str],
    *,
    seconds: float,
    cwd: Path | None = None,
    settings: Mapping[str, str] = {},
) -> "subprocess.CompletedProcess[str]":
    """Run a program under wine. Over time it is killed with all it started; then BuildError is raised."""
    process = start_wine(command, cwd=cwd, settings=settings)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        kill_group(process)
        process.communicate()
        raise BuildError(f"{Path(command[0]).name} under wine did not end within {seconds:.0f} seconds.") from error
    return subprocess.CompletedProcess(list(command), process.returncode, _text(out), _text(err))


def start_wine(
    command: Sequence[str], *, cwd: Path | None = None, settings: Mapping[str, str] = {}, heard: bool = True
) -> "subprocess.Popen[bytes]":
    """Start a program under wine, in a process group of its own; unless `heard`, its output is dropped. Raises BuildError."""
    prepare_prefix()
    output = subprocess.PIPE if heard else subprocess.DEVNULL
    return subprocess.Popen(
        [find_wine(), *command],
        cwd=cwd,
        env=wine_environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End a program and all that runs in our wine: what it started may have left its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    server = Path(find_wine()).with_name("wineserver")
    if server.is_file():
        subprocess.run([str(server), "-k"], env=wine_environment(), check=False, timeout=30, capture_output=True)


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").replace("\r\n", "\n")

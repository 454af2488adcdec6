"""The data folder: everything Hookport keeps, readable by its owner alone."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from touchpoints.problem import ProblemError, problem

if sys.platform == "win32":
    from appliance.data_folder_windows import is_privileged, make_private, mend_command, why_not_private
else:
    from appliance.data_folder_posix import is_privileged, make_private, mend_command, why_not_private


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """The folder and the names of what is in it."""

    path: Path

    @property
    def configuration(self) -> Path:
        """Settings, touchpoints, secrets, people, audit."""
        return self.path / "configuration.db"

    @property
    def configuration_before(self) -> Path:
        """The configuration as an older program left it, until a backup of all as it was has been made."""
        return self.path / "configuration.before-upgrade.db"

    @property
    def restore_unfinished(self) -> Path:
        """The mark of a backup that is being put back; see appliance.restore_mark."""
        return self.path / "restore.unfinished"

    @property
    def events(self) -> Path:
        """Inbox, outbox, attempts."""
        return self.path / "events.db"

    @property
    def queue(self) -> Path:
        """A hosted proxy's sealed events."""
        return self.path / "queue.db"

    @property
    def is_proxy(self) -> bool:
        """Whether a hosted proxy keeps its things here."""
        aside = ("queue.corrupt-*.db", "queue.before-restore-*.db")
        return self.queue.exists() or any(any(self.path.glob(pattern)) for pattern in aside)

    @property
    def key(self) -> Path:
        """The key under which secrets are sealed."""
        return self.path / "secret.key"

    @property
    def lock(self) -> Path:
        """Locked for as long as an instance lives."""
        return self.path / "hookport.lock"

    @property
    def running(self) -> Path:
        """PID and page of the running instance."""
        return self.path / "running.json"

    @property
    def machine_token(self) -> Path:
        """The token of the running instance, for commands on this machine."""
        return self.path / "machine.token"

    @property
    def spool(self) -> Path:
        """Files being made, such as a workbook."""
        return self.path / "spool"

    @property
    def backups(self) -> Path:
        """Where backups are kept, unless the configuration names another folder."""
        return self.path / "backups"

    @property
    def logs(self) -> Path:
        """The program's own log, rotating."""
        return self.path / "logs"


def locate(given: Path | None, environment: Mapping[str, str], *, role: str = "hookport") -> DataFolder:
    """The folder a command means: `--data-dir`, else HOOKPORT_DATA_DIR, else the system's place for the role."""
    named = given or (Path(environment["HOOKPORT_DATA_DIR"]) if environment.get("HOOKPORT_DATA_DIR") else None)
    return DataFolder(path=(named or standard_place(environment, role=role)).absolute())


def standard_place(environment: Mapping[str, str], *, role: str) -> Path:
    """`%ProgramData%\\Hookport` on Windows, `/var/lib/hookport` for root elsewhere, else the user's own data folder."""
    if sys.platform == "win32":
        name = "Hookport" if role == "hookport" else "Hookport-Proxy"
        return Path(environment.get("PROGRAMDATA", r"C:\ProgramData")) / name
    if is_privileged():
        return Path("/var/lib") / role
    return Path(platformdirs.user_data_dir(role, appauthor=False))


def prepare(folder: DataFolder) -> None:
    """Make the folder, or check the one that exists. Raises ProblemError with the command that mends it."""
    try:
        if not folder.path.exists():
            make_private(folder.path)
        elif not folder.path.is_dir():
            raise ProblemError(problem("data_folder_is_a_file", folder=folder.path))
        elif why := why_not_private(folder.path):
            raise ProblemError(
                problem("data_folder_not_private", folder=folder.path, why=why, command=mend_command(folder.path))
            )
        folder.spool.mkdir(exist_ok=True)
        folder.logs.mkdir(exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(folder: DataFolder, error: OSError) -> ProblemError:
    """What the system refused, in words."""
    return ProblemError(problem("data_folder_unusable", folder=folder.path, why=error.strerror or type(error).__name__))


def sweep_spool(folder: DataFolder) -> None:
    """Half-made files of an earlier run are nobody's any more; only for who holds the lock."""
    shutil.rmtree(folder.spool)
    folder.spool.mkdir()

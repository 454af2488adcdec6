"""The data folder's rights on Windows: set once when the folder is made, because changing them later locks people out."""

import ctypes
import os
from pathlib import Path

from appliance.security_windows import account_name, account_of_process, make_folder, rights_of

# Well-known identifiers, the same in every language of Windows.
_SYSTEM = "S-1-5-18"
_ADMINISTRATORS = "S-1-5-32-544"
_WHO_MADE_IT = {"S-1-3-0", "S-1-3-4"}  # CREATOR OWNER and OWNER RIGHTS: whoever makes a file in there, or owns it


def is_privileged() -> bool:
    """Whether the process runs elevated."""
    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def make_private(path: Path) -> None:
    """Make the folder for this process's account, Administrators and SYSTEM alone; its parents as the system likes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    make_folder(path, owner=account_of_process(), accounts=_trusted())


def why_not_private(path: Path) -> str:
    """What is wrong with the folder's owner or rights, or empty. Raises OSError when they cannot be read."""
    rights = rights_of(path)
    if rights.owner not in _trusted():
        return f"it belongs to {account_name(rights.owner)}, and Hookport runs as {account_name(account_of_process())}"
    if rights.everybody:
        return "its disk keeps no rights, so that everybody may enter it"
    strangers = _strangers(rights.allowed)
    return f"others may enter it ({', '.join(map(account_name, strangers))})" if strangers else ""


def mend_command(path: Path) -> str:
    """The command that gives the folder the owner and rights it needs; quoted so that cmd and PowerShell take it alike."""
    icacls = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "icacls.exe"
    rights = rights_of(path)
    if rights.owner not in _trusted():
        return f'{icacls} "{path}" /setowner "*{_ADMINISTRATORS}"'
    grants = " ".join(f'"*{account}:(OI)(CI)F"' for account in _trusted())
    strangers = _strangers(rights.allowed)
    removed = " ".join(["/remove:g", *(f'"*{account}"' for account in strangers)]) if strangers else ""
    return f'{icacls} "{path}" /inheritance:r /grant:r {grants} {removed}'.rstrip()


def _trusted() -> list[str]:
    """Who may have rights there; each once, also where SYSTEM runs the process."""
    return list(dict.fromkeys((account_of_process(), _ADMINISTRATORS, _SYSTEM)))


def _strangers(allowed: tuple[str, ...]) -> list[str]:
    expected = {*_trusted(), *_WHO_MADE_IT}
    return [account for account in dict.fromkeys(allowed) if account not in expected]

"""Opening the page in a browser, where there is a desktop with a person in front of it."""

import sys
import threading
import webbrowser
from collections.abc import Mapping

_PATIENCE = 5.0


def has_desktop(environment: Mapping[str, str], *, platform: str = sys.platform) -> bool:
    """Whether a browser would come up before someone: not in a service, and not at the far end of an SSH session."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    if platform == "win32":
        return bool(environment.get("SESSIONNAME"))  # a service has none
    if platform == "darwin":
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_page(address: str) -> threading.Thread:
    """Open a browser there, beside everything else: some browsers come back only when they are closed."""
    opening = threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True)
    opening.start()
    return opening


def show_first(address: str) -> None:
    """A second start shows the page of the first, and ends once the browser has got the word."""
    if address.startswith(("http://", "https://")):
        open_page(address).join(_PATIENCE)

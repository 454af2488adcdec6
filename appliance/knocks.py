"""Knocks: what came to an endpoint and is stored nowhere, a handshake or a wrong method. The last one of each touchpoint."""

from typing import Any

from touchpoints.request import Request
from touchpoints.touchpoint import Touchpoint

Json = dict[str, Any]

_MOST = 2000  # touchpoints; more than there can be, but for those that were removed
_METHOD = 20  # characters kept of a method: a stranger may send any


class Knocks:
    """In memory: whoever waits for the first event wants to know, and nobody else."""

    def __init__(self) -> None:
        self._last: dict[int, Json] = {}

    def note(self, touchpoint: Touchpoint, request: Request, status: int) -> None:
        """One came, and was answered with a status."""
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[touchpoint.id] = {
            "at": request.received_at,
            "method": request.method[:_METHOD],
            "remote": request.remote,
            "status": status,
        }

    def of(self, touchpoint: int) -> Json | None:
        """See web.control.Control.knock."""
        found = self._last.get(touchpoint)
        return dict(found) if found else None
